"""Named mutants of the modules around a call and a calendar's lease: `desires`, `effects`, `leases`."""

from tests.mutation.mutants import Rule

DESIRES = (
    Rule(
        "adopted-is-told",
        "if desired is None and applied is None and not conference.registered:\n"
        "        return _adopted(conference, wanted, now)\n",
        "",
        "R11: an adopted conference is only recorded",
    ),
    Rule(
        "registered-is-adopted",
        "if desired is None and applied is None and not conference.registered:",
        "if desired is None and applied is None:",
        "R11: a registered conference is told once",
    ),
    Rule(
        "same-state-is-told-again",
        "if desired is not None and desired.fingerprint == wanted.fingerprint:\n        return conference\n",
        "",
        "R12: no difference, no call",
    ),
    Rule(
        "back-again-is-told",
        "if applied is not None and conference.intent is None and applied.fingerprint == wanted.fingerprint:\n"
        "        return _as_applied(conference, applied)\n",
        "",
        "R12, 53: there and back again",
    ),
    Rule(
        "back-again-under-way",
        "if applied is not None and conference.intent is None and applied",
        "if applied is not None and applied",
        "R14: a call under way may land",
    ),
    Rule(
        "waits-since-the-last-change",
        "(conference.desired.since if conference.desired and is_pending(conference) else None) or now",
        "now",
        "explain: how long it has waited",
    ),
    Rule(
        "generation-falls-back",
        "generation = next_generation(conference) - 1",
        "generation = applied.generation",
        "R15: a generation never falls",
    ),
    Rule(
        "call-under-way-is-not-waited-for",
        "asked = [conference.intent.deadline if conference.intent else now, conference.wait_until or now]",
        "asked = [conference.wait_until or now]",
        "R14: one call at a time",
    ),
    Rule(
        "back-end-is-not-waited-for",
        "asked = [conference.intent.deadline if conference.intent else now, conference.wait_until or now]",
        "asked = [conference.intent.deadline if conference.intent else now]",
        "R18: the back end asked for time",
    ),
    Rule(
        "intent-does-not-count",
        "for part in (conference.desired, conference.applied, conference.intent) if part]",
        "for part in (conference.desired, conference.applied) if part]",
        "R15: above all that were ever used",
    ),
    Rule(
        "applied-does-not-count",
        "for part in (conference.desired, conference.applied, conference.intent) if part]",
        "for part in (conference.desired, conference.intent) if part]",
        "R15: above all that were ever used",
    ),
    Rule("same-generation", "return max(used, default=0) + 1", "return max(used, default=1)", "R15: a new generation"),
    Rule(
        "approval-is-lost",
        'without_end(conference).model_copy(update={"brake": conference.brake})',
        "without_end(conference)",
        "R10: what an operator approved stays so",
    ),
    Rule(
        "rejection-is-lost",
        'brake = "rejected" if conference.brake == "rejected" else "none"',
        'brake = "none"',
        "R10: an operator's refusal stands",
    ),
    Rule(
        "hold-survives",
        '{"end_after": None, "brake": "none", "hold": None}',
        '{"end_after": None, "brake": "none"}',
        "R10: why it was held is of the past",
    ),
    Rule(
        "brake-survives",
        '{"end_after": None, "brake": "none", "hold": None}',
        '{"end_after": None, "hold": None}',
        "R10",
    ),
    Rule("end-survives", '{"end_after": None, "brake": "none", "hold": None}', '{"brake": "none", "hold": None}', "S1"),
    Rule(
        "call-is-not-due",
        "waits = (conference.call_at, conference.end_after, conference.review_at)",
        "waits = (conference.end_after, conference.review_at)",
        "L1: what waits is due",
    ),
    Rule(
        "end-is-not-due",
        "waits = (conference.call_at, conference.end_after, conference.review_at)",
        "waits = (conference.call_at, conference.review_at)",
        "L2: what waits is due",
    ),
    Rule(
        "review-is-not-due",
        "waits = (conference.call_at, conference.end_after, conference.review_at)",
        "waits = (conference.call_at, conference.end_after)",
        "2: what waits is due",
    ),
    Rule(
        "replacement-is-not-due",
        "for at in (*waits, *replacements) if at is not None",
        "for at in waits if at is not None",
        "33: what waits is due",
    ),
    Rule(
        "gone-is-told",
        "if conference.gone or (conference.brake",
        "if (conference.brake",
        "56: what is gone is not told anything",
    ),
    Rule(
        "held-end-is-told",
        '(conference.brake == "held" and conference.desired is not None and conference.desired.ended)',
        "False",
        "R10: a held end waits",
    ),
    Rule(
        "held-update-waits",
        '(conference.brake == "held" and conference.desired is not None and conference.desired.ended)',
        '(conference.brake == "held")',
        "R10: updates flow",
    ),
    Rule(
        "refused-is-told-again",
        "max(conference.applied.generation if conference.applied else 0, conference.refused)",
        "(conference.applied.generation if conference.applied else 0)",
        "58: a permanent answer is not argued with",
    ),
)

EFFECTS = (
    Rule(
        "intent-never-expires",
        "return conference.intent is not None and conference.intent.deadline > now",
        "return conference.intent is not None",
        "R14: after the deadline the newest state goes out",
    ),
    Rule(
        "intent-keeps-nobody-out",
        "return conference.intent is not None and conference.intent.deadline > now",
        "return False",
        "R14: one call at a time",
    ),
    Rule(
        "unknown-outcome-same-generation",
        'desired = desired.model_copy(update={"generation": next_generation(conference)})',
        "pass",
        "R14: after an unknown outcome a new generation",
    ),
    Rule(
        "unknown-outcome-is-known",
        'told = told.model_copy(update={"fingerprint": UNKNOWN}) if told else None',
        "pass",
        "57: nobody knows what the back end holds",
    ),
    Rule("no-deadline", "timedelta(seconds=rules.intent_s)", "timedelta(seconds=0)", "R14: nobody calls before"),
    Rule("end-is-an-update", '"end" if desired.ended else "update"', '"update"', "12: an end is an end"),
    Rule(
        "nobody-comes-back",
        '"intent": intent, "call_at": deadline}',
        '"intent": intent}',
        "R14: something runs at the deadline",
    ),
    Rule(
        "operation-without-generation",
        "conference_key, str(intent.generation), intent.verb)",
        "conference_key, intent.verb)",
        "R15: operation id",
    ),
    Rule(
        "operation-without-verb",
        "conference_key, str(intent.generation), intent.verb)",
        "conference_key, str(intent.generation))",
        "R15: operation id",
    ),
    Rule(
        "late-answer-counts",
        "return conference.intent is not None and conference.intent.generation == intent.generation",
        "return conference.intent is not None",
        "R15: a late answer changes nothing",
    ),
    Rule(
        "newer-state-waits",
        'if is_pending(done):\n        return timed(done.model_copy(update={"call_at": now}))\n    return _without_state(done)',
        "return _without_state(done)",
        "53: a newer state goes out at once",
    ),
    Rule("attempts-pile-up", '"applied": told, "attempts": 0', '"applied": told', "R18: success ends the slowing down"),
    Rule(
        "busy-is-called-at-once",
        '"wait_until": retry_at, "attempts"',
        '"attempts"',
        "R18: Retry-After counts for newer states too",
    ),
    Rule(
        "busy-is-never-called",
        '{"call_at": retry_at, "wait_until": retry_at, "attempts"',
        '{"wait_until": retry_at, "attempts"',
        "L1: it is called again",
    ),
    Rule(
        "unknown-is-closed",
        '{"deadline": retry_at}) if conference.intent else None',
        '{"deadline": retry_at}) if False else None',
        "R14: an unknown outcome leaves the intent open",
    ),
    Rule(
        "stale-below",
        "generation = max(next_generation(conference), stored_generation + 1)",
        "generation = next_generation(conference)",
        "R15: raised above the stored one",
    ),
    Rule(
        "stale-reuses",
        "generation = max(next_generation(conference), stored_generation + 1)",
        "generation = stored_generation + 1",
        "R15: above all that were ever used",
    ),
    Rule(
        "stale-is-known",
        "held = Applied(generation=stored_generation, fingerprint=UNKNOWN)",
        "held = conference.applied",
        "R15: the back end holds something that we did not tell it",
    ),
    Rule(
        "stale-without-pause",
        "pause_s = rules.backoff_s(conference.attempts) if conference.attempts else 0",
        "pause_s = 0",
        "R18: ever more slowly",
    ),
    Rule(
        "refused-is-sent-again",
        '{"refused": intent.generation, "last_error": error})\n    noted = with_note(closed, f"{intent.verb}',
        '{"last_error": error})\n    noted = with_note(closed, f"{intent.verb}',
        "58: a permanent answer",
    ),
    Rule(
        "newer-state-is-refused-too",
        'return timed(noted.model_copy(update={"call_at": now})) if is_pending(noted) else _without_state(noted)',
        "return _without_state(noted)",
        "58: a newer state is sent",
    ),
    Rule(
        "given-up-without-successor",
        "return _without_state(replacing.succeed(noted, owners, state, capabilities, now))",
        'return _without_state(noted.model_copy(update={"gone": True}))',
        "56: the events that hold it get another",
    ),
    Rule(
        "titles-are-kept",
        'desired = _desired(conference).model_copy(update={"state": None})',
        "desired = _desired(conference)",
        "privacy: what is told is forgotten",
    ),
    Rule(
        "told-stays-due",
        'return timed(conference.model_copy(update={"desired": desired, "call_at": None}))',
        'return timed(conference.model_copy(update={"desired": desired}))',
        "L4: nothing is left to do",
    ),
)

LEASES = (
    Rule(
        "requests-are-not-counted", '{"requested": calendar.requested + 1}', '{"requested": calendar.requested}', "R3"
    ),
    Rule(
        "lease-is-taken-over",
        "if calendar.lease is not None and is_leased(calendar, now):",
        "if False:",
        "R4: one calendar syncs in one place at a time",
    ),
    Rule("same-fence", "fence = calendar.fence + 1\n", "fence = calendar.fence\n", "R2: a new fence with each claim"),
    Rule(
        "frozen-for-ever",
        'return calendar.state == "frozen" and waits and not is_leased(calendar, now)',
        'return calendar.state == "frozen" and not is_leased(calendar, now)',
        "48: retried slowly",
    ),
    Rule(
        "frozen-keeps-its-own-worker-out",
        'return calendar.state == "frozen" and waits and not is_leased(calendar, now)',
        'return calendar.state == "frozen" and waits',
        "48: one that is being tried counts requests",
    ),
    Rule(
        "lease-never-expires",
        "return calendar.lease is not None and calendar.lease.expires_at > now",
        "return calendar.lease is not None",
        "R4: a crashed worker does not block its calendar",
    ),
    Rule(
        "no-skew", "at + timedelta(seconds=rules.skew_s)", "at", "R4: after the lease's end, by more than clocks differ"
    ),
    Rule(
        "any-fence-will-do",
        "if calendar is None or calendar.fence != fence or calendar.lease is None:",
        "if calendar is None or calendar.lease is None:",
        "R2: a write with an older fence is refused",
    ),
    Rule(
        "released-will-do",
        "if calendar is None or calendar.fence != fence or calendar.lease is None:",
        "if calendar is None or calendar.fence != fence:",
        "R2: a worker without a lease writes nothing",
    ),
    Rule(
        "listing-number-falls",
        '{"full_listings": max(calendar.full_listings, checkpoint.listing)}',
        '{"full_listings": checkpoint.listing}',
        "R5: each full listing has its own number",
    ),
    Rule(
        "any-token-will-do",
        "if calendar.sync_token != previous_token:",
        "if False:",
        "R2: the commit checks the previous token",
    ),
    Rule("served-all", '"served": checkpoint.requested', '"served": calendar.requested', "R3: what came in meanwhile"),
    Rule(
        "checkpoint-stays", '"checkpoint": None,\n            "last_synced_at"', '"last_synced_at"', "R7: a new listing"
    ),
    Rule(
        "stays-frozen", 'if moved.state == "frozen":\n        moved = _thawed(moved, now)\n', "", "48: thaws by itself"
    ),
    Rule(
        "released-too-early",
        "if moved.requested > moved.served or moved.to_observe:",
        "if moved.to_observe:",
        "R4: it lists again instead of releasing",
    ),
    Rule(
        "registered-meanwhile-waits",
        "if moved.requested > moved.served or moved.to_observe:",
        "if moved.requested > moved.served:",
        "R11: what was registered meanwhile is read",
    ),
    Rule(
        "token-survives-freeze", '"sync_token": None,\n            "due_at"', '"due_at"', "R5, 48: thaw lists in full"
    ),
    Rule(
        "fence-survives-freeze", '"fence": calendar.fence + 1,\n            "lease"', '"lease"', "R2: a change of state"
    ),
    Rule(
        "token-of-other-parameters",
        "return calendar.sync_token if calendar.parameters_version == LIST_PARAMETERS_VERSION else None",
        "return calendar.sync_token",
        "R6: a token belongs to its parameters",
    ),
    Rule(
        "checkpoint-of-other-parameters",
        "if checkpoint is None or checkpoint.parameters_version != LIST_PARAMETERS_VERSION:",
        "if checkpoint is None:",
        "R6: a page token belongs to its parameters",
    ),
    Rule(
        "checkpoint-without-token",
        "return checkpoint if checkpoint.listing or usable_token(calendar) is not None else None",
        "return checkpoint",
        "R7: an incremental listing without its token",
    ),
    Rule(
        "always-first", "return calendar.sync_generation == 0", "return True", "R5: only the first listing has a window"
    ),
)

"""Named mutants of the module around a calendar's lease: `leases`."""

from tests.mutation.mutants import Rule

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
    Rule(
        "refused-is-not-read-again",
        'asked_again(asked.model_copy(update={"fence": fence, "lease": lease}), now)',
        'asked.model_copy(update={"fence": fence, "lease": lease})',
        "R18: an event that was refused once is read again",
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
        "broken-off-comes-back-at-once",
        "max(rules.skew_s, rules.backoff_s(calendar.failed_syncs))",
        "rules.skew_s",
        "R18: a sync that always breaks off is started ever more slowly",
    ),
    Rule(
        "broken-off-is-never-forgiven",
        '"failed_syncs": 0,',
        '"failed_syncs": calendar.failed_syncs,',
        "R18: a commit ends the series of failures",
    ),
    Rule(
        "given-up-is-not-due",
        '{"due_at": min(calendar.due_at or now, now)}',
        "{}",
        "R18: on the last attempt the store says so before the task is lost",
    ),
    Rule(
        "given-up-is-put-off",
        "min(calendar.due_at or now, now)",
        "now",
        "R21: a forged header costs one early note, never a delay",
    ),
    Rule(
        "given-up-thaws",
        "if not is_synced(calendar) or is_frozen(calendar, now):",
        "if False:",
        "48: retried slowly",
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
        "token-of-another-version",
        "return calendar.sync_token if calendar.listing_version == listing_version else None",
        "return calendar.sync_token",
        "R6: a token belongs to its listing version",
    ),
    Rule(
        "checkpoint-of-another-version",
        "if checkpoint is None or checkpoint.listing_version != listing_version:",
        "if checkpoint is None:",
        "R6: a page token belongs to its listing version",
    ),
    Rule(
        "checkpoint-without-token",
        "return checkpoint if checkpoint.listing or usable_token(calendar, listing_version) is not None else None",
        "return checkpoint",
        "R7: an incremental listing without its token",
    ),
    Rule(
        "always-first", "return calendar.sync_generation == 0", "return True", "R5: only the first listing has a window"
    ),
)

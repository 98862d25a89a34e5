"""Mutants of how a conferencing system is called, and of how conferences are replaced in events."""

from tests.simulation.mutants.switches import Mutant, mutant

INTENTS: tuple[Mutant, ...] = (
    mutant(
        "call-without-intent",
        "R14",
        "A call leaves that nobody would know after a crash (testing.md: no 'unknown' mark before the call).",
        ("update_conference:_announce", "        tx.put(opened)\n", ""),
    ),
    mutant(
        "open-intent-is-no-matter",
        "R14",
        "Another call leaves while one may still land.",
        (
            "core.effects:has_open_intent",
            "return conference.intent is not None and conference.intent.deadline > now",
            "return False",
        ),
    ),
    mutant(
        "late-call-leaves",
        "R14",
        "A worker that was held up calls when its intent is nearly over.",
        (
            "call_back_end:call_back_end",
            "if now > rules.may_leave_until(intent.deadline):",
            "if False:",
        ),
    ),
    mutant(
        "late-create-leaves",
        "R14",
        "A worker that was held up has a conference made when another one may have given up already.",
        (
            "make_replacement:make_replacement",
            "if reserved.outside.now() > rules.may_leave_until(open_until):",
            "if False:",
        ),
    ),
    mutant(
        "unknown-is-applied",
        "R14",
        "A call without an answer counts as applied.",
        (
            "call_back_end:_answer_to",
            'return Answer("waiting", reason, lambda c: effects.unknown(c, at, reason, now))',
            'return Answer("applied", reason, lambda c: effects.applied(c, intent, _wanted(conference), now))',
        ),
    ),
    mutant(
        "unknown-is-not-applied",
        "R14",
        "A call without an answer is made again at once, as if it had never left.",
        (
            "call_back_end:_answer_to",
            "lambda c: effects.unknown(c, at, reason, now)",
            "lambda c: effects.busy(c, now, reason)",
        ),
    ),
    mutant(
        "what-was-told-before-is-believed",
        "R14",
        "After a call without an answer the back end is taken to hold what it held before.",
        (
            "core.effects:open_intent",
            'told.model_copy(update={"fingerprint": UNKNOWN}) if told else None',
            "told",
        ),
    ),
    mutant(
        "late-answer-counts",
        "R14",
        "An answer counts for a call that is not the one announced (testing.md: no compare-and-set after await).",
        (
            "core.effects:is_answer_to",
            "return conference.intent is not None and conference.intent.generation == intent.generation",
            "return True",
        ),
    ),
    mutant(
        "again-as-the-same-generation",
        "R15",
        "What follows an unknown outcome goes out under the same generation.",
        ("core.effects:open_intent", '{"generation": next_generation(conference)}', "{}"),
    ),
    mutant(
        "generation-does-not-rise",
        "R15",
        "Another state goes out under the same generation.",
        ("core.desires:next_generation", "return max(used, default=0) + 1", "return max(used, default=1)"),
    ),
    mutant(
        "stale-is-told-again",
        "R15",
        "Told that it is stale, the worker sends the next number, whatever the back end holds.",
        (
            "core.effects:stale",
            "max(next_generation(conference), stored_generation + 1)",
            "next_generation(conference)",
        ),
    ),
    mutant(
        "asked-wait-is-forgotten",
        "S5",
        "A back end that asked for a pause is called with the next change.",
        ("core.effects:busy", '"call_at": call_at, "wait_until": retry_at', '"call_at": call_at, "wait_until": None'),
    ),
    mutant(
        "busy-is-called-at-once",
        "S5",
        "A back end that asked for a pause is called again at once.",
        (
            "call_back_end:_answer_to",
            'return Answer("waiting", reason, lambda c: effects.busy(c, at, reason))\n        case OutcomeUnknown',
            'return Answer("waiting", reason, lambda c: effects.busy(c, now, reason))\n        case OutcomeUnknown',
        ),
    ),
    mutant(
        "lost-races-are-not-noticed",
        "R16",
        "A conference is written over what another calendar wrote meanwhile.",
        (
            "adapters.memory:MemoryStore._attempt",
            "self._records.commit(transaction.writes, seen, as_of)",
            "self._records.commit(transaction.writes, (), as_of)",
        ),
        (
            "adapters.memory:MemoryStore._attempt",
            "self._records.read(kind, keys, as_of)",
            "self._records.read(kind, keys)",
        ),
    ),
    mutant(
        "last-look-ends-over-a-change",
        "R16",
        "The last look wants the end though a sync changed the conference meanwhile.",
        (
            "end_conference:_look_once_more",
            "if stored is None or not _is_same(stored, conference):",
            "if stored is None:",
        ),
    ),
    mutant(
        "review-goes-on-over-a-change",
        "R16",
        "A review stores what it found though a sync changed the conference meanwhile.",
        (
            "review_conference:_change",
            "if stored is None or not _is_same(stored, conference) or _is_any_removed(calendars.values()):",
            "if stored is None or _is_any_removed(calendars.values()):",
        ),
    ),
)

REPLACEMENTS: tuple[Mutant, ...] = (
    mutant(
        "new-operation-for-each-attempt",
        "R15",
        "Each attempt to create a conference is another operation (testing.md: no idempotency key).",
        (
            "core.replacing:operation_id",
            "str(replacement.number)",
            "str(replacement.number), str(replacement.attempts)",
        ),
    ),
    mutant(
        "create-without-reservation",
        "R15",
        "A conference is asked for before anybody notes it (testing.md: recreate without reservation).",
        (
            "make_replacement:make_replacement",
            "    if not reserved.change(lambda stored, known: replacing.announced(stored, known, open_until), begun):\n"
            "        return None\n",
            "",
        ),
    ),
    mutant(
        "made-but-not-stored",
        "S4",
        "A new conference is written into its event before it is known (testing.md: no reservation before create).",
        ("make_replacement:_registered", "if known is None:", "if False:"),
    ),
    mutant(
        "no-successor",
        "L1",
        "A conference that ended for good is not replaced (testing.md: no recreate on 404).",
        (
            "core.replacing:succeed",
            "if not capabilities.creates or not waiting or",
            "if True or",
        ),
    ),
    mutant(
        "written-over-a-change",
        "R17",
        "An event is written though it changed since it was looked at.",
        (
            "relink_event:_write",
            "api.write_conference_data(at, event_id, event.etag,",
            "api.write_conference_data(at, event_id, (api.get_event(at, event_id) or event).etag,",
        ),
    ),
    mutant(
        "written-over-another",
        "R17",
        "An event that names another conference by now gets the new one.",
        (
            "relink_event:_write",
            "if event is None or not _is_named_by(event, made):",
            "if event is None:",
        ),
    ),
)

CALLS = (*INTENTS, *REPLACEMENTS)

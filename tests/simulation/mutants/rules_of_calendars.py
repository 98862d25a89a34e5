"""Mutants of what operators do to whole calendars: pause, resume, remove, forget, sync anew."""

from tests.simulation.mutants.switches import Mutant, mutant

CALENDARS: tuple[Mutant, ...] = (
    mutant(
        "pause-keeps-the-lease",
        "R4",
        "A calendar is paused and resumed with the lease of a sync that was under way.",
        ("core.calendar_states:_left_alone", '"lease": None', '"lease": calendar.lease'),
        ("core.calendar_states:_active", '"lease": None', '"lease": calendar.lease'),
    ),
    mutant(
        "pause-keeps-its-channel",
        "R19",
        "Nobody stops the channel of a calendar that is left alone.",
        ("administer_calendar:_stop_channels", "if leases.is_synced(calendar):", "if True:"),
    ),
    mutant(
        "resumed-is-not-due",
        "L1",
        "A calendar is resumed, and nothing lists what changed meanwhile.",
        (
            "core.calendar_states:resumed",
            "return sync_at_once(_active(calendar, now), now)",
            "return _active(calendar, now)",
        ),
        (
            "administer_calendar:resume_calendar",
            "outside.task_queue.create(tasks.asked_sync(calendar_key, outside.now()))",
            "pass",
        ),
    ),
    mutant(
        "resync-keeps-the-token",
        "R5",
        "A calendar is to be synced anew, and goes on from where it was.",
        ("core.calendar_states:resynced", "drop_token(calendar)", "calendar"),
    ),
    mutant(
        "removal-ends-conferences",
        "R9",
        "A conference ends because its calendar is forgotten.",
        (
            "core.forgetting:without_calendar",
            "if not referents and not registered:\n        return None",
            "if not referents and not registered:\n        from confsync.core.judging import begin_grace\n"
            "        bare = conference.model_copy(update={'referents': {}, 'registered': {}})\n"
            "        return begin_grace(bare, 'removed', now, rules)",
        ),
    ),
    mutant(
        "moved-to-a-forgotten-calendar-is-lost",
        "R9",
        "An event that moved to a calendar that is forgotten stays lost where it was.",
        (
            "core.forgetting:_out_of_sight",
            'return referent.model_copy(update={"state": "orphaned", "since": now, "continues_in": None})',
            "return referent",
        ),
    ),
    mutant(
        "removed-is-forgotten-at-once",
        "R9",
        "Nothing of a removed calendar is remembered for the time in which it may be added again.",
        ("core.calendar_states:removed", "timedelta(seconds=rules.retention_s)", "timedelta(0)"),
    ),
    mutant(
        "nobody-forgets-what-was-removed",
        "L3",
        "Of a removed calendar everything is remembered when its time is over, too.",
        (
            "sync_calendar:_left_alone",
            "forgotten = forget_calendar(calendar.key, outside, terms.rules)",
            "return dropped",
        ),
    ),
    mutant(
        "added-again-is-forgotten",
        "R2",
        "What a removed calendar held is forgotten, though it was added again meanwhile.",
        (
            "forget_calendar:_Forgetting._is_removed",
            'return stored is not None and stored.fence == self._calendar.fence and stored.state == "removed"',
            "return stored is not None",
        ),
    ),
    mutant(
        "forgotten-under-a-call",
        "R14",
        "A conference is forgotten while a call about it may land.",
        (
            "forget_calendar:_Forgetting._busy_until",
            "return max(filter(None, (told, made)), default=None)",
            "return None",
        ),
    ),
    mutant(
        "read-before-it-is-listed",
        "R9",
        "Events are read on their own before a listing shows in which role.",
        (
            "listing:Listing._list",
            "self._items.forget()",
            "self._observe_registered()\n        self._items.forget()",
        ),
        ("leased_reader:LeasedReader.read", "if not self._has_full_access and any(", "if False and any("),
    ),
)

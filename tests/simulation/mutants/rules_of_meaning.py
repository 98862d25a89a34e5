"""Mutants of what events mean: who owns and drives a conference, and when it may end."""

from tests.simulation.mutants.switches import Mutant, mutant

OWNERS: tuple[Mutant, ...] = (
    mutant(
        "any-copy-drives",
        "R8",
        "A guest's copy counts as the organizer's.",
        (
            "core.events:Event.is_organizers_copy",
            "self.organizer is not None and self.organizer.is_self",
            "self.organizer is not None",
        ),
    ),
    mutant(
        "latest-occurrence-drives",
        "R8",
        "Of several owners the one with the latest next occurrence drives.",
        ("core.driving:driver_of", "return min(upcoming,", "return max(upcoming,"),
    ),
    mutant(
        "nobody-takes-over",
        "R8",
        "When the driver's occurrence is over, no other owner drives.",
        ("core.reviewing:review", 'return "hand over"', 'return "nothing"'),
    ),
    mutant(
        "any-claim-owns",
        "R11",
        "Whoever writes a conference's id into an event owns it.",
        ("core.binding:role_of", 'return "owner" if vouched', 'return "owner" if True or vouched'),
    ),
    mutant(
        "claims-are-never-promoted",
        "R11",
        "A claim of the lost owner's own event does not become owner.",
        ("core.owners:_with_next_owners", "if not waiting:", "if True:"),
    ),
    mutant(
        "registered-is-not-told",
        "R11",
        "A conference that the add-on registered is only recorded.",
        ("core.desires:desire", "and not conference.registered:", "and True:"),
    ),
    mutant(
        "moved-event-counts-twice",
        "R11",
        "An event that moved drives from the calendar that it left too.",
        ("core.owners:without_moved", "_continuing(conference, left, now)", "conference"),
    ),
    mutant(
        "older-item-counts",
        "R13",
        "What is known of an event goes back to what a late reader saw.",
        (
            "core.binding:is_older",
            "return (event.updated, event.sequence) < (known.updated, known.sequence)",
            "return False",
        ),
    ),
    mutant(
        "difference-in-nothing-is-told",
        "R12",
        "A conference is told what it was told before.",
        ("core.desires:desire", "if desired is not None and desired.fingerprint == wanted.fingerprint:", "if False:"),
        (
            "core.desires:desire",
            "if applied is not None and conference.intent is None and applied.fingerprint == wanted.fingerprint:",
            "if False:",
        ),
    ),
)

ENDS: tuple[Mutant, ...] = (
    mutant(
        "listed-is-confirmed",
        "R9",
        "A listed item ends a conference without being read on its own.",
        ("core.binding:_confirmed", 'return "confirm"', "return found"),
    ),
    mutant(
        "no-last-look",
        "R9",
        "Nothing is read again before the end (testing.md: no re-read before delete).",
        (
            "end_conference:_look_once_more",
            "ending.owners_still_there(conference, sight, terms.solutions, tied_elsewhere)",
            "[]",
        ),
    ),
    mutant(
        "no-grace",
        "R9",
        "An end is carried out as soon as it is decided.",
        ("core.judging:begin_grace", "rules.grace_s", "0"),
    ),
    mutant(
        "ends-with-one-of-its-events",
        "R9",
        "One lost event ends the conference of several (testing.md: per-event instead of per-conference delete).",
        (
            "core.judging:judge",
            "judgement = _follow_owners(conference, sight, capabilities, now, rules)",
            'lost = owners_of(conference, "gone")\n'
            '        conference = begin_grace(conference, "an event is gone", now, rules) if lost else conference\n'
            "        judgement = _follow_owners(conference, sight, capabilities, now, rules)",
        ),
        (
            "core.ending:owners_still_there",
            "[reading.ref for reading in owners_to_read(conference)]",
            "[each.ref for each in owners_to_read(conference) if (known := conference.referents.get(each.ref.link_key))"
            ' is None or known.state != "live"]',
        ),
    ),
    mutant(
        "pending-is-absence",
        "R9",
        "An event whose new conference is in the making counts as one without.",
        ("core.binding:_without_conference", 'return "ignore"', 'return _confirmed(seen, tie, "gone")'),
        ("core.ending:shows_another", "return shown and not pending and", "return shown and"),
    ),
    mutant(
        "moved-is-deleted",
        "R9",
        "A tombstone that names another organizer counts as a deletion.",
        (
            "core.binding:_moved_away",
            'return _confirmed(seen, tie, "orphaned")',
            'return _confirmed(seen, tie, "gone")',
        ),
        (
            "core.ending:_is_deleted",
            "event.is_cancelled and (event.organizer is None or event.organizer.is_self)",
            "True",
        ),
    ),
    mutant(
        "unknown-is-gone",
        "R9",
        "An event that Calendar does not know counts as deleted, not as moved.",
        (
            "core.binding:_unknown_to_calendar",
            'return "gone" if is_missing or tie.referent.role == "claimed" else "orphaned"',
            'return "gone"',
        ),
    ),
    mutant(
        "held-is-ended",
        "R9",
        "A conference that was held ends when its event is deleted afterwards.",
        ("core.judging:was_held", "return bool(owners) and all(", "return False and all("),
    ),
    mutant(
        "orphan-is-not-looked-for",
        "R9",
        "A conference whose event moved is kept, whatever became of the event.",
        ("core.reviewing:review", 'return "look for it"', 'return "nothing"'),
    ),
    mutant(
        "no-brake",
        "R10",
        "However many ends were decided, none is held.",
        ("hold_end:hold_end", "if not brake.may_hold(conference, now):", "if True:"),
    ),
    mutant(
        "discarded-draft-lives",
        "L2",
        "A conference whose event never came is not ended (testing.md: no reaper for discarded drafts).",
        (
            "core.reviewing:review",
            "if was_expected and not was_owned(conference) and not _has_ended(conference):",
            "if False:",
        ),
    ),
    mutant(
        "forgotten-at-once",
        "L1",
        "A conference whose events are gone is forgotten before one of them is restored.",
        ("core.judging:forget_time", "timedelta(seconds=rules.retention_s)", "timedelta(0)"),
        ("core.reviewing:wait_on", "seconds=rules.retention_s", "seconds=rules.grace_s"),
    ),
)

MEANING = (*OWNERS, *ENDS)

"""Named mutants of the modules around the end of a conference: `replacing`, `reviewing`, `ending`."""

from tests.mutation.mutants import Rule

REPLACING = (
    Rule(
        "links-as-they-were-read",
        "next(links, replacement.links)",
        "replacement.links",
        "R16: an event that came while a successor was made gets it too",
    ),
    Rule("gone-revives", "return conference.gone or (ended and not", "return (ended and not", "56: gone for good"),
    Rule(
        "restorable-is-replaced",
        "(ended and not capabilities.restores and capabilities.creates)",
        "(ended and capabilities.creates)",
        "35: restored where the back end can",
    ),
    Rule(
        "replaced-without-means",
        "(ended and not capabilities.restores and capabilities.creates)",
        "(ended and not capabilities.restores)",
        "35: replaced only where the back end makes conferences",
    ),
    Rule(
        "end-that-waits-is-final",
        "conference.applied.fingerprint == ENDED and not is_pending(conference)",
        "conference.applied.fingerprint == ENDED",
        "35: an end that nobody announced is taken back",
    ),
    Rule(
        "half-a-successor-is-enough",
        "return conference.gone and not set(owners) <= under_way(conference)",
        "return conference.gone and not set(owners) & under_way(conference)",
        "56: every event gets the successor",
    ),
    Rule(
        "reserved-without-means",
        "if not capabilities.creates or not waiting or (known",
        "if not waiting or (known",
        "56: only where the back end makes conferences",
    ),
    Rule(
        "second-successor",
        "known = next((each for each in conference.replacements if each.is_successor), None)",
        "known = next((each for each in conference.replacements if False), None)",
        "R15: one reservation, one conference",
    ),
    Rule(
        "copy-is-the-successor",
        "known = next((each for each in conference.replacements if each.is_successor), None)",
        "known = next(iter(conference.replacements), None)",
        "33, 56: a copy's conference is no successor",
    ),
    Rule(
        "successor-is-asked-again",
        "if not capabilities.creates or not waiting or (known",
        "if not capabilities.creates or (known",
        "56: what has a successor is left alone",
    ),
    Rule(
        "refused-successor-is-asked-again",
        "or (known is not None and known.refused == fingerprint(state)):",
        "or False:",
        "58: a permanent answer is not argued with",
    ),
    Rule(
        "late-event-waits",
        '"due_at": known.due_at or now}',
        '"due_at": known.due_at}',
        "35: an event that is back later gets the successor too",
    ),
    Rule(
        "late-event-is-forgotten",
        'update={"links": tuple(links), "due_at"',
        'update={"due_at"',
        "35: an event that is back later gets the successor too",
    ),
    Rule(
        "late-event-hurries",
        '"due_at": known.due_at or now}',
        '"due_at": now}',
        "R15: a call that is under way is not made a second time",
    ),
    Rule(
        "successor-of-earlier-events-is-forgotten",
        "links = tuple(sorted(waiting.union(known.links)))",
        "links = tuple(sorted(waiting))",
        "56: one successor for all events",
    ),
    Rule(
        "relinked-for-good",
        "return {key for each in conference.replacements if each.due_at is not None for key in each.links}",
        "return {key for each in conference.replacements for key in each.links}",
        "35: an event that holds the old conference again gets the successor again",
    ),
    Rule(
        "refusal-is-forgotten",
        "return {key: each.refused for each in conference.replacements if each.refused for key in each.links}",
        "return {}",
        "58: a permanent answer is not argued with",
    ),
    Rule(
        "registered-are-copies",
        "originals = {key: owner for key, owner in owners.items() if key in conference.registered} or _oldest(owners)",
        "originals = _oldest(owners)",
        "R11, 33: what the add-on vouched for is no copy",
    ),
    Rule(
        "vouched-are-minted", "if key not in originals and any(", "if any(", "R11, 33: what was vouched for is no copy"
    ),
    Rule(
        "youngest-is-original",
        "first = min(dated.values(), default=None)",
        "first = max(dated.values(), default=None)",
        "33: the oldest is the original",
    ),
    Rule(
        "copies-in-other-calendars",
        "return owner.calendar_key == original.calendar_key and None not in dates",
        "return None not in dates",
        "33, 34: a duplicate stands in the same calendar",
    ),
    Rule(
        "undated-are-copies",
        "None not in dates and dates[0] != dates[1]",
        "dates[0] != dates[1]",
        "33: what has no date is not judged by it",
    ),
    Rule(
        "split-is-a-copy",
        "None not in dates and dates[0] != dates[1]",
        "None not in dates",
        "26: the parts of a split share the date of the series",
    ),
    Rule("same-number", "number = conference.replaced + 1", "number = conference.replaced", "R15: a new operation id"),
    Rule(
        "number-is-not-used-up",
        'update = {"replacements": (*others, reserved), "replaced": number}',
        'update = {"replacements": (*others, reserved)}',
        "R15: a new operation id for each conference",
    ),
    Rule(
        "reservation-waits",
        "is_successor=is_successor, state=state, due_at=now\n",
        "is_successor=is_successor, state=state\n",
        "33: what is reserved is made",
    ),
    Rule(
        "one-operation-for-all",
        'key_of("create", conference.key, str(replacement.number), ',
        'key_of("create", conference.key, ',
        "R15: one operation id for each conference",
    ),
    Rule(
        "same-operation-after-it-was-forgotten",
        ", replacement.reserved_at.isoformat())",
        ")",
        "R15: an operation id is answered with what was made for it, though that has ended",
    ),
    Rule("never-gives-up", '"attempts": replacement.attempts + 1', '"attempts": replacement.attempts', "R18: slower"),
    Rule(
        "successor-is-forgotten",
        "return not replacement.is_successor and replacement.due_at is None and not",
        "return replacement.due_at is None and not",
        "35: an event that is back later gets the same successor",
    ),
    Rule(
        "each-part-is-minted",
        "if known is None:\n        return _reserve(conference, [link_key], state, now, is_successor=False)",
        "if True:\n        return _reserve(conference, [link_key], state, now, is_successor=False)",
        "26, 33: the parts of a duplicate that was split share one conference",
    ),
    Rule(
        "all-duplicates-are-parts",
        "return any(_are_parts(event, conference.referents[link_key]) for event in events)",
        "return bool(events)",
        "33: another duplicate gets a conference of its own",
    ),
    Rule(
        "parts-stand-in-any-calendar",
        "return one.calendar_key == other.calendar_key and None",
        "return None",
        "33: what was made elsewhere at the same time is no part",
    ),
    Rule(
        "those-of-unknown-age-are-parts",
        "None is not one.created == other.created",
        "one.created == other.created",
        "33: doubt makes no parts",
    ),
    Rule(
        "a-part-joins-what-was-refused",
        "if replacement.is_successor or replacement.refused:",
        "if replacement.is_successor:",
        "R15: what was refused is asked for anew",
    ),
    Rule(
        "a-duplicate-joins-the-successor",
        "if replacement.is_successor or replacement.refused:",
        "if replacement.refused:",
        "33, 56: a successor is for all events",
    ),
    Rule(
        "duplicates-pile-up",
        "return kept if len(minted) <= KEPT_MINTS else cancelled(kept, minted[0])",
        "return kept",
        "a conference is one record, and must not grow",
    ),
    Rule(
        "all-are-done",
        "left = tuple(each for each in conference.replacements if each.number != replacement.number)",
        "left = ()",
        "33: one conference was made, the others are to be",
    ),
    Rule(
        "all-are-changed",
        "changed if each.number == changed.number else each",
        "changed",
        "33: each copy has a reservation of its own",
    ),
)

REVIEWING = (
    Rule(
        "review-never-due",
        "return conference.review_at is not None and conference.review_at <= now",
        "return False",
        "2: a discarded draft is found",
    ),
    Rule("owners-are-forgotten", 'if owners_of(conference, "live"):\n', "if False:\n", "R8: another part drives"),
    Rule(
        "orphans-are-not-looked-for", 'if owners_of(conference, "orphaned"):\n', "if False:\n", "R9: where it moved to"
    ),
    Rule(
        "claims-are-forgotten",
        'if any(referent.state == "live" for referent in conference.referents.values()):\n        return "nothing"\n',
        "",
        "R11: a claim may be registered later",
    ),
    Rule(
        "draft-beside-events",
        "if was_expected and not was_owned(conference) and not",
        "if was_expected and not",
        "2: only where no event ever appeared",
    ),
    Rule(
        "draft-without-word",
        "was_expected = conference.registered or not conference.referents",
        "was_expected = True",
        "2: only what the add-on made",
    ),
    Rule(
        "made-for-nobody",
        "was_expected = conference.registered or not conference.referents",
        "was_expected = conference.registered",
        "18: what was made for events that were forgotten meanwhile ends like a draft",
    ),
    Rule(
        "draft-ends-twice",
        "not was_owned(conference) and not _has_ended(conference):",
        "not was_owned(conference):",
        "2: an ended draft is not ended again",
    ),
    Rule(
        "forgotten-at-once",
        'return "forget" if is_old and is_empty and _is_settled(conference) else "nothing"',
        'return "forget" if is_empty and _is_settled(conference) else "nothing"',
        "35: remembered for the time that Calendar restores events",
    ),
    Rule(
        "forgotten-unsettled",
        "if is_old and is_empty and _is_settled(conference) else",
        "if is_old and is_empty else",
        "L2: what is to end is ended before it is forgotten",
    ),
    Rule(
        "pending-is-settled",
        'is_pending(conference) or conference.end_after is not None or conference.brake == "held"',
        'conference.end_after is not None or conference.brake == "held"',
        "L1: what is to be told is told",
    ),
    Rule(
        "ending-is-settled",
        'is_pending(conference) or conference.end_after is not None or conference.brake == "held"',
        'is_pending(conference) or conference.brake == "held"',
        "L2: what is to end is ended",
    ),
    Rule(
        "held-is-settled",
        'conference.end_after is not None or conference.brake == "held"',
        "conference.end_after is not None",
        "R10: what is held waits for an operator",
    ),
    Rule(
        "replacing-is-settled",
        "return not waits and all(replacement.due_at is None for replacement in conference.replacements)",
        "return not waits",
        "56: what is to be replaced is replaced",
    ),
    Rule(
        "registered-afresh",
        '{"registered": {**conference.registered, **vouched}',
        '{"registered": {**vouched}',
        "R11: the add-on's word is kept",
    ),
    Rule(
        "draft-with-events",
        'if was_owned(conference) or any(claim.state == "live" for claim in conference.referents.values()):\n'
        "        return known\n",
        "",
        "2: an event that was seen is no draft",
    ),
    Rule(
        "draft-without-grace",
        'return begin_grace(waiting, "its event never appeared", now, rules)',
        "return waiting",
        "2",
    ),
    Rule(
        "orphan-is-sought-for-ever",
        "return min((orphan.since or now) + timedelta(seconds=rules.orphan_s), over_at(orphan))",
        "return (orphan.since or now) + timedelta(seconds=rules.orphan_s)",
        "R9: 30 days or the event's end",
    ),
    Rule(
        "orphan-is-sought-to-its-end",
        "return min((orphan.since or now) + timedelta(seconds=rules.orphan_s), over_at(orphan))",
        "return over_at(orphan)",
        "R9: 30 days or the event's end",
    ),
    Rule(
        "unseen-draft-is-not-looked-at-again",
        "again if again < give_up else None",
        "None",
        "2: an event that moved away before anybody saw it may come back without the conference",
    ),
    Rule(
        "unseen-draft-is-looked-at-for-ever",
        "again if again < give_up else None",
        "again",
        "R9: 30 days; Calendar forgets then that it moved",
    ),
    Rule(
        "found-again-is-deleted",
        'if orphan is None or orphan.state != "orphaned":',
        "if orphan is None:",
        "R16: it came back meanwhile",
    ),
)

ENDING = (
    Rule(
        "lost-view-keeps-what-was-deleted",
        "return [ref for ref in left if not _was_deleted_in_another_view(ref, conference, sight)]",
        "return list(left)",
        "29, 46: a view that cannot be read any more keeps nothing that another shows deleted",
    ),
    Rule(
        "what-is-read-is-overruled",
        "if owner is None or (here is not None and here.confirmed):",
        "if owner is None:",
        "R9: a view that can be read speaks for itself",
    ),
    Rule(
        "claims-overrule",
        'is_shown = other.role == "owner" and seen',
        "is_shown = seen",
        "R11: what a claim shows ends nothing",
    ),
    Rule(
        "end-before-grace-is-over",
        "return conference.end_after is not None and conference.end_after <= now",
        "return conference.end_after is not None",
        "R9: the grace",
    ),
    Rule(
        "forgotten-home-keeps",
        "known.continues_in is not None or is_tied_elsewhere",
        "known.continues_in in conference.referents or is_tied_elsewhere",
        "19: what was lost where it moved to is lost, also when that is forgotten",
    ),
    Rule(
        "moved-owner-keeps",
        "return left if moved_on else _is_deleted(seen.event)",
        "return _is_deleted(seen.event)",
        "19: the tombstone of what moved on tells of that, whatever it names",
    ),
    Rule(
        "claims-keep",
        'owners = [_reading(referent) for referent in conference.referents.values() if referent.role == "owner"]',
        "owners = [_reading(referent) for referent in conference.referents.values()]",
        "R11: a claim keeps nothing alive",
    ),
    Rule(
        "draft-stub-ends",
        "return is_deleted_here(seen.event)",
        "return _is_deleted(seen.event)",
        "2, 19: of an event that nobody saw, an id alone proves nothing",
    ),
    Rule(
        "unwritten-keeps",
        " if not each.unwritten)",
        ")",
        "2, 19: what was never written is held nowhere",
    ),
    Rule(
        "drafts-are-not-read", "return owners or list(expected)", "return owners", "2: the event is read before the end"
    ),
    Rule(
        "series-is-read-alone",
        "owner.ical_uid if owner.times.recurrence else None)",
        "None)",
        "24: an instance may still hold the conference",
    ),
    Rule(
        "unread-is-gone",
        "if seen is None or not seen.confirmed:\n        return False\n",
        "if seen is None:\n        return True\n",
        "R9: what could not be read is no evidence",
    ),
    Rule(
        "instances-do-not-keep",
        "if any(holds(event, conference, solutions) for event in exceptions):\n        return False\n",
        "",
        "24: an instance may still hold the conference",
    ),
    Rule(
        "cancelled-instances-keep",
        "exceptions = [event for event in seen.exceptions or () if not event.is_cancelled]",
        "exceptions = list(seen.exceptions or ())",
        "23: a cancelled instance holds nothing",
    ),
    Rule(
        "moved-is-deleted",
        "return event.is_cancelled and (event.organizer is None or event.organizer.is_self)",
        "return event.is_cancelled",
        "R9, 19: a foreign organizer's tombstone means moved",
    ),
    Rule(
        "stub-keeps",
        "return event.is_cancelled and (event.organizer is None or event.organizer.is_self)",
        "return event.is_cancelled and event.organizer is not None and event.organizer.is_self",
        "12: the tombstone of what was found deleted may lose its details",
    ),
    Rule(
        "guest-copy-proves",
        "shown = event.is_organizers_copy and not event.is_cancelled",
        "shown = not event.is_cancelled",
        "R9, 36: only the organizer's copy, shown in full",
    ),
    Rule(
        "pending-proves",
        "return shown and not pending and not holds(event, conference, solutions)",
        "return shown and not holds(event, conference, solutions)",
        "3: a pending conference is no removal",
    ),
    Rule(
        "holder-proves",
        "return shown and not pending and not holds(event, conference, solutions)",
        "return shown and not pending",
        "S1: an event that has it keeps it",
    ),
)

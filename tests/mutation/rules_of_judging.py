"""Named mutants of the modules that judge conferences: `judging`, `owners`, `driving`, `identity`, `terms`."""

from tests.mutation.mutants import Rule

JUDGING = (
    Rule(
        "judged-before-promotion",
        "promoted = note_promoted(promote_claims(conference, rules.claims), conference.referents, now)",
        "promoted = conference",
        "R11: a claim becomes owner before no owner is left",
    ),
    Rule(
        "found-again-counts-twice",
        "conference = without_moved(promoted, sight, now)",
        "conference = promoted",
        "19: what moved away counts only where it lives now",
    ),
    Rule(
        "former-place-is-not-read",
        "if former_places := unread_former_places(promoted, sight):\n"
        "        return Judgement(promoted, former_places)\n",
        "",
        "R9, 19: only a look says that an event left its former place",
    ),
    Rule(
        "the-past-piles-up",
        "conference = without_past(cancel_end(conference, holder, now), now)",
        "conference = cancel_end(conference, holder, now)",
        "26: a conference is one record and must not grow",
    ),
    Rule(
        "end-is-not-cancelled",
        "without_past(cancel_end(conference, holder, now), now)",
        "without_past(conference, now)",
        "S1, 35: an event that is back ends the grace",
    ),
    Rule(
        "no-review",
        "return replace(judgement, conference=_reviewed(judgement.conference, now, rules))",
        "return judgement",
        "R8: another part drives when the driver is over",
    ),
    Rule(
        "orphan-is-not-reviewed",
        "            review_at = now\n",
        "            pass\n",
        "R9, 19: where an event moved to is asked at once",
    ),
    Rule(
        "orphans-end",
        'if owners_of(conference, "orphaned"):\n        return keep',
        "if False:\n        return keep",
        "R9, 19: a moved event is never ended",
    ),
    Rule(
        "ended-is-ended-again",
        "if is_over or not owners_of",
        "if not owners_of",
        "28: an ended conference is not ended again",
    ),
    Rule(
        "unknown-provider-is-not-looked-at-again",
        'held.model_copy(update={"review_at": now + timedelta(seconds=rules.search_s)})',
        "held",
        "60: what happened while a provider was not configured is made up for",
    ),
    Rule(
        "unknown-provider-ends-what-is-held",
        "held = without_wanted_end(conference)",
        "held = conference",
        "60: an end that is wanted is taken back though its provider is not configured",
    ),
    Rule("claims-end", 'if is_over or not owners_of(conference, "gone"):', "if is_over:", "R11: claims end nothing"),
    Rule(
        "held-is-ended",
        'if was_held(conference, now):\n        return keep(conference, "kept: it was held already", now)\n',
        "",
        "R9, 42: a held conference is kept",
    ),
    Rule(
        "grace-starts-anew",
        'if conference.end_after is not None or conference.brake in ("held", "rejected"):',
        'if conference.brake in ("held", "rejected"):',
        "R9: being judged again does not prolong the grace",
    ),
    Rule("held-ends-anew", 'conference.brake in ("held", "rejected")', 'conference.brake == "rejected"', "R10: held"),
    Rule("refused-end-ends", 'conference.brake in ("held", "rejected")', 'conference.brake == "held"', "R10: rejected"),
    Rule("no-grace", 'schedule_end(conference, rules.grace_s, f"', 'schedule_end(conference, 0, f"', "R9: the grace"),
    Rule(
        "one-over-is-held",
        "return bool(owners) and all(over_at(each) <= now or _was_lost_before(each, last_held) for each in owners)",
        "return any(over_at(each) <= now for each in owners)",
        "42: held only when its last event is over",
    ),
    Rule(
        "claims-count-as-held",
        'if each.role == "owner" and each.continues_in not in known]',
        "if each.continues_in not in known]",
        "R11: what a claim shows does not count",
    ),
    Rule(
        "forgotten-by-the-first-loss",
        "return max([*lost, *vouched], default=now)",
        "return min([*lost, *vouched], default=now)",
        "35: remembered for the time that Calendar restores events",
    ),
    Rule(
        "minted-again",
        "sorted(copies - replacing.under_way(conference))",
        "sorted(copies)",
        "R15: one reservation, one conference",
    ),
    Rule("copy-drives", "if key not in served}", "if True}", "33: a copy that gets its own conference drives no other"),
    Rule(
        "refused-copy-does-not-drive",
        "served = copies - set(replacing.refused_for(conference))",
        "served = copies",
        "33: a copy that could get none shares",
    ),
    Rule(
        "refused-copy-is-asked-again",
        "if state is not None and fingerprint(state) != refused.get(key):",
        "if state is not None:",
        "58: a permanent answer is not argued with",
    ),
    Rule(
        "twin-in-sight-does-not-speak",
        'referent = _in_sight(conference.referents[driver], owners_of(conference, "live"), sight)',
        "referent = conference.referents[driver]",
        "50: one event in two calendars",
    ),
    Rule(
        "twin-elsewhere-speaks",
        "if is_same(driver, owner) and (owner.organizer == driver.organizer or was_bound_later(owner, driver))",
        "if is_same(driver, owner)",
        "19: a copy that the event is leaving says what was",
    ),
    Rule(
        "moved-copy-does-not-speak",
        "(owner.organizer == driver.organizer or was_bound_later(owner, driver))",
        "owner.organizer == driver.organizer",
        "49: the former calendar cannot be read any more",
    ),
    Rule(
        "lost-speaker-is-believed",
        "if any(known.since == now for known in lost):",
        "if False:",
        "19: what was told may be what another event said that was lost just now",
    ),
    Rule(
        "mint-by-default",
        'mints = rules.duplicates == "mint" and capabilities.creates',
        "mints = capabilities.creates",
        "33: `share` is the default",
    ),
    Rule(
        "mint-without-means",
        'mints = rules.duplicates == "mint" and capabilities.creates',
        'mints = rules.duplicates == "mint"',
        "33: only where the back end makes conferences",
    ),
    Rule(
        "mint-from-the-gone",
        "copies &= replacing.minted_for(conference)  # its successor is for all others",
        "pass",
        "56: what is gone gets one successor",
    ),
    Rule(
        "past-is-told",
        "if over_at(referent) <= now:\n        return Judgement(without_wanted_end(following))\n",
        "",
        "42: no call for the past",
    ),
    Rule(
        "driver-is-read-each-time",
        "if referent.ref not in sight and not _is_undecided(conference, driver, capabilities, now):\n"
        "        return Judgement(conference)\n",
        "",
        "R12: nothing changed about it",
    ),
    Rule(
        "ended-stays-ended",
        "if conference.driver != driver or conference.desired is None or conference.desired.ended:",
        "if conference.driver != driver or conference.desired is None:",
        "35: an undelete restores the conference",
    ),
    Rule(
        "new-driver-is-not-read",
        "if conference.driver != driver or conference.desired is None or conference.desired.ended:",
        "if conference.desired is None or conference.desired.ended:",
        "R8: the new driver is told",
    ),
    Rule(
        "gone-without-successor",
        "return capabilities.creates and replacing.lacks_successor(",
        "return False and replacing.lacks_successor(",
        "56: an event whose conference is gone gets another",
    ),
    Rule(
        "revival-of-the-gone",
        "if replacing.is_beyond_revival(conference, capabilities):",
        "if False:",
        "35, 56: what cannot come back gets a successor",
    ),
    Rule(
        "foreign-copy-is-told",
        "if seen.event is None or seen.event.is_cancelled or not seen.event.is_organizers_copy:",
        "if seen.event is None or seen.event.is_cancelled:",
        "R8: only the organizer's copy drives",
    ),
    Rule(
        "tombstone-is-told",
        "if seen.event is None or seen.event.is_cancelled or not",
        "if seen.event is None or not",
        "12: a tombstone is no state",
    ),
    Rule(
        "series-told-without-exceptions",
        "if _needs_whole_series(seen, capabilities) and seen.exceptions is None:\n"
        "        return Reading(ref, seen.event.ical_uid)\n",
        "",
        "22: a master read alone says nothing of its exceptions",
    ),
    Rule(
        "never-clamped",
        "return clamped(project(seen.event, seen.exceptions or (), capabilities.carries), capabilities)",
        "return project(seen.event, seen.exceptions or (), capabilities.carries)",
        "39: a length that the back end refuses",
    ),
    Rule(
        "occurrences-always-read",
        'return recurring and seen.confirmed and "occurrences" in capabilities.carries',
        "return recurring and seen.confirmed",
        "R12: a back end without occurrences costs no reading",
    ),
    Rule(
        "draft-of-first-word",
        "return max(vouched.at for vouched in conference.registered.values())",
        "return min(vouched.at for vouched in conference.registered.values())",
        "2: each draft has its full time",
    ),
    Rule(
        "last-claim-leaves-no-review",
        "        elif is_deserted(conference):\n            review_at = max(now, draft_time(conference, rules))",
        "        elif False:\n            review_at = max(now, draft_time(conference, rules))",
        "2: a draft that only claims ever held is looked at again",
    ),
)

OWNERS = (
    Rule(
        "deserted-with-orphans",
        'all(known.state == "gone" for known in conference.referents.values())',
        'all(known.state != "live" for known in conference.referents.values())',
        "R9: what moved away is not forgotten",
    ),
    Rule(
        "claim-beside-owner-waits",
        "or is_vouched_for(conference, referent.calendar_key, referent.organizer)",
        "or False",
        "26, 33: in whatever order they were seen",
    ),
    Rule(
        "claim-of-lost-waits",
        "or any(_stands_for(referent, owner) for owner in owners)",
        "or False",
        "19: the new place owns what the old one lost",
    ),
    Rule(
        "next-owners-wait",
        "return found if found is conference else promote_claims(found, claims)",
        "return found",
        "19, 26: who becomes an owner speaks for others at once",
    ),
    Rule(
        "claim-is-never-free",
        "if free\n",
        "if False\n",
        "R11: under `matching` the next claim owns",
    ),
    Rule(
        "gone-claims-own",
        'if (r.role, r.state) == ("claimed", "live")}',
        'if r.role == "claimed"}',
        "R11: what is gone owns nothing",
    ),
    Rule(
        "twins-of-the-living-own",
        'return is_same(owner, claim) if owner.state == "live" else may_be_same(owner, claim)',
        "return may_be_same(owner, claim)",
        "50: what may be a copy of a live event owns nothing",
    ),
    Rule(
        "claim-of-the-living-waits",
        'return is_same(owner, claim) if owner.state == "live" else may_be_same(owner, claim)',
        'return owner.state != "live" and may_be_same(owner, claim)',
        "19: the new place is seen before the old one is lost",
    ),
    Rule(
        "move-is-not-followed",
        '"continues_in": home}',
        '"continues_in": None}',
        "19: what became of it is known where it went",
    ),
    Rule(
        "older-copy-wins",
        "was_bound_later(home, owner) and is_same(owner, home)",
        "was_bound_later(owner, home) and is_same(owner, home)",
        "19: of two copies the one that changed last is the organizer's",
    ),
    Rule(
        "live-copies-both-count",
        "return was_bound_later(home, owner) and is_same(owner, home)",
        "return False",
        "19: an event counts only where it lives now",
    ),
    Rule(
        "lost-elsewhere-is-not-lost",
        "if _was_followed_to(orphan, home, conference.tenant)",
        "if False",
        "19: what moved out of sight was lost where it went",
    ),
    Rule(
        "went-on-counts-as-lost",
        "if _is_lost_where_it_went(owner, known)}",
        "}",
        "19: an event that went on was lost elsewhere, if at all",
    ),
    Rule(
        "followed-one-step-only",
        "            last = known.get(last.continues_in)\n",
        "            return False\n",
        "19: an event may go on more than once",
    ),
    Rule(
        "lives-where-it-went",
        'return last is not None and last.state == "gone"',
        "return last is not None",
        "R9, 19: where it lives, it holds its conference",
    ),
    Rule(
        "followed-to-somebody-else",
        "if orphan.moved_to is not None and person_key(orphan.moved_to, tenant) != home.organizer:",
        "if False:",
        "20: its tombstone says who has it now",
    ),
    Rule(
        "was-here-after-there",
        "was_bound_later(home, orphan) and is_same(orphan, home)",
        "is_same(orphan, home)",
        "19: the copy that changed last is the organizer's",
    ),
    Rule(
        "still-there-counts-as-left",
        "return seen is None or not (seen.says_nothing or _is_at_home(seen))",
        "return True",
        "R9, 19: an event that is still in its former place did not leave it",
    ),
    Rule(
        "older-place-is-believed",
        "return _former_place(owner, home) is None or (seen is not None and _is_at_home(seen))",
        "return True",
        "R9, 19: an event went on from a place that is live on record only; it came back there if that shows it",
    ),
    Rule(
        "older-place-is-not-read",
        "return home if was_bound_later(owner, home) else None",
        "return None",
        "R9, 19: only a look says whether an event that moved out of sight came back to an older place",
    ),
    Rule(
        "any-home-is-as-good",
        "return max(homes, key=lambda key: homes[key].bound_at or datetime.min.replace(tzinfo=UTC))",
        "return min(homes, key=lambda key: homes[key].bound_at or datetime.min.replace(tzinfo=UTC))",
        "19: the copy that changed last is the organizer's",
    ),
    Rule(
        "newest-are-forgotten",
        "forgotten = {key for _, key in past[:-PAST_OWNERS]} if is_held else set()",
        "forgotten = {key for _, key in past[PAST_OWNERS:]} if is_held else set()",
        "26: the newest parts stay",
    ),
    Rule(
        "orphans-are-past",
        'if r.state == "gone" or over_at(r) <= now)',
        'if r.state != "live" or over_at(r) <= now)',
        "R9, 19: what moved out of sight may hold it still",
    ),
    Rule(
        "all-past-is-forgotten",
        "past[:-PAST_OWNERS]} if is_held else set()",
        "past[:-PAST_OWNERS]}",
        "42: the last event may still be moved",
    ),
)

DRIVING = (
    Rule(
        "latest-drives",
        "return min(upcoming, key=lambda key: (upcoming[key], seniority(key)))",
        "return max(upcoming, key=lambda key: (upcoming[key], seniority(key)))",
        "R8: the earliest next occurrence drives",
    ),
    Rule(
        "equals-by-key",
        "return key not in registered, owners[key].created or LATEST, key",
        "return True, LATEST, key",
        "R8: of equals the vouched for, then the oldest",
    ),
    Rule(
        "moved-instances-do-not-count",
        "return max(end, owner.until) if owner.until is not None else end",
        "return end",
        "22, 42: a series goes on until its moved instances are over",
    ),
    Rule(
        "first-ended-drives",
        "last = max(over_at(owner) for owner in owners.values())",
        "last = min(over_at(owner) for owner in owners.values())",
        "R8: else the one that ended last",
    ),
    Rule("past-drives", "if upcoming:\n", "if False:\n", "R8: what comes goes before what is over"),
    Rule(
        "no-handover",
        "if driver not in owners or len(owners) == 1:\n        return None\n",
        "return None\n",
        "R8: another part drives when the driver's last occurrence is over",
    ),
    Rule(
        "handover-to-nobody",
        "return end if end is not None and any(next_start(other.times, end) is not None for other in others) else None",
        "return end",
        "R8: nothing is looked at again where nobody can follow",
    ),
)

IDENTITY = (
    Rule(
        "organizers-differ-by-case",
        "email.lower())",
        "email)",
        "18: an address is the same however it is written",
    ),
    Rule(
        "another-time-of-making-is-no-matter",
        "apart = None not in (one.created, other.created) and one.created != other.created",
        "apart = False",
        "19, 34: whoever was invited knows the id; when an event was made cannot be written",
    ),
    Rule(
        "unnamed-are-one",
        "return one.ical_uid is not None and one.ical_uid == other.ical_uid and not apart",
        "return one.ical_uid == other.ical_uid and not apart",
        "19: two events without iCalUID are not the same",
    ),
    Rule(
        "perhaps-is-certain",
        "known = one.created is not None and one.created == other.created",
        "known = True",
        "19: certain only by when it was made",
    ),
    Rule(
        "any-id-will-do",
        "return known and one.event_id == other.event_id and may_be_same(one, other)",
        "return known and may_be_same(one, other)",
        "26: the parts of a split are not one event",
    ),
)

TERMS = (
    Rule(
        "strange-name-holds-nothing",
        "return data is not None and data.conference_id == conference.conference_id",
        "return False",
        "60: a solution's new name takes no conference away",
    ),
    Rule(
        "same-id-elsewhere-holds",
        "return (claim.provider, claim.conference_id) == (conference.provider, conference.conference_id)",
        "return claim.conference_id == conference.conference_id",
        "60: an id counts within its provider only",
    ),
)

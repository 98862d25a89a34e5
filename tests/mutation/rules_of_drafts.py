"""Named mutants of the modules that make a plan: `draft`, `taking`, `series`, `touched`, `planning`."""

from tests.mutation.mutants import Rule

DRAFT = (
    Rule(
        "absorbed-goes-back",
        "event.updated is not None and not is_older(event, tie.link):",
        "event.updated is not None:",
        "R13: a list of exceptions that lags takes nothing back",
    ),
    Rule(
        "claims-wait-for-a-judge",
        "promoted = promote_claims(referring, self.terms.rules.claims)",
        "promoted = referring",
        "19, 23: a series that moved here is read whole, as soon as it owns",
    ),
    Rule(
        "deletion-in-another-view-waits",
        'if state == "gone" and event is not None:',
        "if False:",
        "29, 50: a view that was lost would show the event for ever",
    ),
    Rule(
        "moved-without-trace",
        "moved_to = organizer.email if organizer is not None else None",
        "moved_to = None",
        "R9, 19: the named organizer's calendar is asked",
    ),
    Rule(
        "news-of-an-orphan-are-old",
        '"since": self.now if is_news else known.since',
        '"since": self.now if known.state != state else known.since',
        "R9, 19: where an event moved to is asked as soon as its tombstone names it",
    ),
    Rule(
        "lost-link-keeps-its-stamp",
        "self.links[ref.link_key] = tie.link.model_copy(update=newer)",
        "pass",
        "R13: a tombstone is an observation too",
    ),
    Rule(
        "exceptions-of-others-are-told",
        "return holds(exception, self.conferences[conference_key], self.terms.solutions)",
        "return True",
        "24: an instance without the conference is none of its occurrences",
    ),
    Rule(
        "cancelled-exceptions-are-not-told",
        "return exception.organizer is None or exception.organizer.is_self",
        "return False",
        "23: one instance cancelled",
    ),
    Rule(
        "moved-exceptions-are-told",
        "return exception.organizer is None or exception.organizer.is_self",
        "return True",
        "19, 23: an instance that moved away with its series is not cancelled",
    ),
    Rule(
        "named-exceptions-are-not-told",
        "return exception.organizer is None or exception.organizer.is_self",
        "return exception.organizer is None",
        "23: a cancelled instance may still name its organizer",
    ),
    Rule(
        "missing-is-marked",
        "if link is not None and not self.sight[ref].missing_from_list:",
        "if link is not None:",
        "R5: what a listing lacks is not marked as seen",
    ),
    Rule(
        "series-read-twice",
        "return {r for r in self.readings if r.series_uid is not None or r.ref not in whole}",
        "return self.readings",
        "21: a series that is read whole is not read alone too",
    ),
    Rule(
        "strange-names-unbind",
        "return tied_to if is_tied else claimed_key(event, self.terms)",
        "return claimed_key(event, self.terms)",
        "60: a solution's new name takes no conference away",
    ),
    Rule(
        "move-is-news-each-time",
        "is_news = came_back or",
        "is_news = True or",
        "R9, 19: an orphan is looked for once",
    ),
    Rule(
        "return-is-no-news",
        "is_news = came_back or",
        "is_news =",
        "19: what came back is lost from then on",
    ),
    Rule(
        "return-goes-on-elsewhere",
        'lost |= {"continues_in": None, "bound_at": event.updated}',
        'lost |= {"bound_at": event.updated}',
        "19: an event that came back is where it came back to",
    ),
    Rule(
        "return-is-as-old-as-before",
        'lost |= {"continues_in": None, "bound_at": event.updated}',
        'lost |= {"continues_in": None}',
        "19: where it came back to is newer than where it had been",
    ),
    Rule(
        "second-organizer-is-no-news",
        "or (known.state, known.moved_to) != (state, moved_to)",
        "or known.state != state",
        "R9, 19: what moved on is looked for there",
    ),
)

TAKING = (
    Rule(
        "half-a-series-is-told",
        "has_unseen=is_half_seen or not held_it",
        "has_unseen=not held_it",
        "23: the first exception may be on the next page",
    ),
    Rule(
        "claimed-series-was-seen-whole",
        "tie.link.conference_key == conference_key and tie.is_live_owner\n",
        "tie.link.conference_key == conference_key\n",
        "R11, 23: what a series cancelled while it was a claim is not listed again",
    ),
    Rule(
        "each-series-of-a-page-is-read",
        "tie.link is not None and tie.link.etag != event.etag",
        "True",
        "a long listing costs no call for a series that did not change",
    ),
    Rule(
        "organizer-of-own-copy-is-heard",
        "is_guests = event.organizer is not None and not event.organizer.is_self",
        "is_guests = event.organizer is not None",
        "18: only a guest's word covers somebody else's calendar",
    ),
    Rule(
        "instances-first",
        "return is_instance, not owns, ref.event_id",
        "return not is_instance, not owns, ref.event_id",
        "23: masters come before their instances",
    ),
    Rule(
        "owners-not-first",
        "return is_instance, not owns, ref.event_id",
        "return is_instance, True, ref.event_id",
        "26: who owns comes before those that own beside him, in whatever order",
    ),
    Rule(
        "instance-binds-alone",
        "elif unread is not None:",
        "elif unread is not None and False:",
        "22: an exception listed before its series",
    ),
    Rule("claims-are-not-told", "draft.claims.add(ref)", "pass", "R11, 54: a claim is logged once"),
    Rule(
        "claims-are-told-each-time",
        'if referent.role == "claimed" and ref.link_key not in conference.referents:\n        draft.claims',
        'if referent.role == "claimed":\n        draft.claims',
        "R11, 54: a claim is logged once",
    ),
    Rule(
        "switch-leaves-the-old",
        "if tie.link is not None and tie.link.conference_key != conference_key:\n"
        "        _lose(draft, ref, seen, tie)\n",
        "",
        "31, 32: another conference takes the event away from the one before",
    ),
    Rule(
        "exceptions-go-with-their-series",
        "series.release(draft, ref, seen, lost)",
        "pass",
        "24: an instance may keep what its series lost",
    ),
    Rule(
        "deleted-series-is-read-whole",
        "if lives_on and lost is not None and lost.has_exceptions and",
        "if lost is not None and lost.has_exceptions and",
        "28: the instances of a deleted series are deleted",
    ),
    Rule(
        "series-without-exceptions-is-read-whole",
        "if lives_on and lost is not None and lost.has_exceptions and",
        "if lives_on and lost is not None and lost.ical_uid and",
        "24: an event that lost its conference costs no second call",
    ),
    Rule("too-many-claims", "and claims >= MOST_CLAIMS", "and False", "R11: a record must not grow by forged ids"),
    Rule(
        "owners-count-as-claims",
        'return referent.role == "claimed" and ref.link_key not in conference.referents and claims >= MOST_CLAIMS',
        "return ref.link_key not in conference.referents and claims >= MOST_CLAIMS",
        "R11: the add-on's word is never refused",
    ),
    Rule(
        "organizer-of-a-guest-is-not-heard",
        "_hear_of_organizer(draft, ref, seen.event, named)",
        "pass",
        "R11, 18: the add-on was used by a guest",
    ),
    Rule(
        "bare-instance-orphans",
        'if found == "orphaned" and seen.event is not None and _is_bare_instance(seen.event):',
        "if False:",
        "23: a cancelled instance with a conference of its own",
    ),
    Rule(
        "own-instances-are-not-read",
        "_look_at_instances(draft, tie.link)",
        "pass",
        "24, 28: a series goes with the conferences of its instances",
    ),
    Rule(
        "own-instances-are-forgotten",
        "series.remember_own_instance(draft, event.recurring_event_id, ref.event_id)",
        "pass",
        "24, 28: a series goes with the conferences of its instances",
    ),
    Rule(
        "own-conference-of-instance-is-kept",
        "_give_up_own(draft, ref, link)\n        series",
        "series",
        "22: an instance that had a conference before its series",
    ),
)

SERIES = (
    Rule(
        "refused-series-frees-instances",
        "return seen if seen is not None and seen.says_nothing else None",
        "return None",
        "24, R18: what an instance holds may be its series' own, while that cannot be read",
    ),
    Rule(
        "unknown-series-holds-instances",
        "return seen if seen is not None and seen.says_nothing else None",
        "return seen if seen is not None and seen.event is None else None",
        "24: of a series that is not known here, an instance is an event alone",
    ),
    Rule(
        "lost-series-stands-for-instances",
        "if series is None or not series.conference_key or _has_lost_it(draft, series):",
        "if series is None or not series.conference_key:",
        "24: an instance holds alone what its series lost",
    ),
    Rule(
        "exception-counts-as-bound",
        "link.conference_key == named and link.series_id is None",
        "link.conference_key == named",
        "24: the series may have got the conference back",
    ),
    Rule(
        "bare-series-was-shown",
        "return seen.confirmed or seen.event is None or seen.event.updated is not None",
        "return True",
        "R13, 22: a bare id says nothing of the conference of its series",
    ),
    Rule(
        "what-was-inherited-is-held-alone",
        "return Reading(ref) if not is_exception and is_older(instance, seen.event) else None",
        "return None",
        "24: an instance shows what its series has lost meanwhile",
    ),
    Rule(
        "exceptions-are-doubted",
        "is_exception = any(instance.id == exception.id for exception in seen.exceptions)",
        "is_exception = False",
        "24: an exception that changed before its series did keeps what it has",
    ),
    Rule(
        "cancelled-exceptions-keep-it",
        "if not e.is_cancelled and draft.shares(e, lost.conference_key))",
        "if draft.shares(e, lost.conference_key))",
        "24: no call for an instance that is gone with its series' conference",
    ),
    Rule(
        "seen-exceptions-are-read-again",
        "draft.readings.update(Reading(exception) for exception in refs if exception not in draft.sight)",
        "draft.readings.update(Reading(exception) for exception in refs)",
        "24: what was read is taken",
    ),
    Rule(
        "series-of-any-conference",
        "return claimed_key(instance, draft.terms) in (None, series.conference_key)",
        "return True",
        "24: an instance with another conference of ours",
    ),
    Rule(
        "series-does-not-know-exceptions",
        'draft.links[series.key] = series.model_copy(update={"has_exceptions": True})\n',
        "",
        "22: a series with exceptions is read whole ever after",
    ),
    Rule(
        "absorbed-without-owner",
        "if shares and tie.referent is not None and draft.is_live_owner(series):",
        "if shares and tie.referent is not None:",
        "24: an instance gives way to a series that holds the conference, no other",
    ),
    Rule(
        "live-instance-becomes-exception",
        'if tie.referent is not None and tie.referent.state != "gone":\n        return\n    known',
        "known",
        "24: what owns by itself is no mere exception",
    ),
    Rule(
        "series-read-for-nothing",
        'if series.ical_uid is None or capabilities is None or "occurrences" not in capabilities.carries:\n'
        "        return\n",
        "assert series.ical_uid\n",
        "R12: a back end without occurrences costs no reading",
    ),
    Rule(
        "vain-series-is-read-again",
        "if seen is not None and seen.says_nothing:\n        return\n",
        "",
        "R18: one event never blocks its calendar",
    ),
    Rule(
        "new-series-forgets-exceptions",
        "elif link.has_exceptions or has_unseen:",
        "elif link.has_exceptions:",
        "G8, 22: exceptions listed before their series was registered",
    ),
    Rule(
        "claims-are-read-whole",
        "        if draft.is_live_owner(series):\n            _want_whole",
        "        if True:\n            _want_whole",
        "22, R11: a claim drives nothing, and is not read",
    ),
    Rule(
        "moved-instances-do-not-reach",
        "_reach(draft, link, seen.exceptions, whole=True)",
        "pass",
        "22, 42: a series goes on until its moved instances are over",
    ),
    Rule(
        "exception-is-not-remembered",
        "_remember_exception(draft, ref, series)\n    _reach",
        "_reach",
        "G2: its tombstone may hold nothing but its id",
    ),
)

TOUCHED = (
    Rule(
        "other-owners-one-by-one",
        "draft.readings.update(_other_owners(draft, judgement.conference))",
        "pass",
        "R8: who drives is settled in one round",
    ),
    Rule(
        "unheard-is-heard",
        "return seen.confirmed or seen.says_nothing or ref not in draft.unheard",
        "return True",
        "36: what says nothing changes no state",
    ),
    Rule(
        "vain-reading-is-asked-again",
        "return seen.confirmed or seen.says_nothing or",
        "return seen.confirmed or",
        "R18: one event never blocks its calendar",
    ),
    Rule(
        "outdated-reading-counts",
        "current = {ref: seen for ref, seen in seen.items() if not _is_outdated(draft, ref, seen)}",
        "current = seen",
        "R13, R16: another calendar's sync may know more",
    ),
    Rule(
        "unheard-is-told",
        "if ref in draft.unheard or not speaks:",
        "if not speaks:",
        "36: what says nothing changes no state",
    ),
    Rule(
        "another-conference-is-told",
        "if ref in draft.unheard or not speaks:",
        "if ref in draft.unheard:",
        "31: what an event with another conference shows is no state of this one",
    ),
)

PLANNING = (
    Rule(
        "what-the-plan-asks-for-is-not-swept",
        "if is_sweep:\n        sight = _swept(sight, calendar_key, recorded.links, listing)",
        "if is_sweep:\n        sight = dict(sight)",
        "R5: a complete listing speaks of every linked event that it lacks, whoever asks for it",
    ),
    Rule(
        "sweep-forgets-the-marks",
        "if link is not None and link.seen_in != listing]",
        "if link is not None]",
        "R5: what the listing showed is not missing from it",
    ),
    Rule(
        "unknown-does-not-wait-for-the-sweep",
        "elif listing:\n",
        "elif False:\n",
        "44: only a complete listing tells whether an unknown event was deleted or moved away",
    ),
    Rule(
        "listed-and-unknown-waits-for-the-sweep",
        "if seen.event is None and not seen.listed]",
        "if seen.event is None]",
        "R9: an event that was listed and is unknown by now moved away",
    ),
    Rule(
        "listed-before-and-unknown-waits-for-the-sweep",
        "link.seen_in != listing and link.series_id is None]",
        "link.series_id is None]",
        "R9: an event that an earlier page showed and that is unknown by now moved away",
    ),
    Rule(
        "unknown-is-marked-as-shown",
        "[ref for ref in own if sight[ref].listed or sight[ref].event is not None]",
        "own",
        "44: the sweep reads what was asked for in vain while the listing went on",
    ),
    Rule(
        "listed-and-unknown-is-not-marked",
        "if sight[ref].listed or sight[ref].event is not None]",
        "if sight[ref].event is not None]",
        "R9: what was listed is not missing from the listing, though it is unknown by now",
    ),
    Rule(
        "series-are-not-read-whole",
        "series.read_whole(draft)\n",
        "",
        "22: a series is told with its exceptions",
    ),
    Rule(
        "links-of-series-are-missing",
        "masters = [seen.event.recurring_event_id for _, seen in own if seen.event and seen.event.recurring_event_id]",
        "masters: list[str] = []",
        "22: an exception needs its series' link",
    ),
    Rule(
        "links-of-exceptions-are-missing",
        "exceptions = [event.id for _, seen in own for event in seen.exceptions or ()]",
        "exceptions: list[str] = []",
        "22: a series read whole needs its exceptions' links",
    ),
    Rule(
        "links-of-others-are-missing",
        "return {ref.link_key for ref in sight} |",
        "return {ref.link_key for ref, _ in own} |",
        "R13, R16: what another calendar's sync recorded of its event",
    ),
    Rule(
        "named-conference-is-missing",
        "return {key for key in (*named, *(link.conference_key for link in links.values())) if key}",
        "return {link.conference_key for link in links.values() if link.conference_key}",
        "R11: the conference that an event names",
    ),
    Rule(
        "unnamed-conference-is-asked-for",
        "for link in links.values())) if key}",
        "for link in links.values())) if key is not None}",
        "a series without a conference of its own names none; no store has a record without a key",
    ),
    Rule(
        "linked-conference-is-missing",
        "return {key for key in (*named, *(link.conference_key for link in links.values())) if key}",
        "return {key for key in named if key}",
        "30: the conference that an event had",
    ),
    Rule(
        "unlinked-claims-do-not-concern",
        "if Link.key_for(calendar_key, event.id) in links or claimed_key(event, terms) is not None:",
        "if Link.key_for(calendar_key, event.id) in links:",
        "1: a new event with our conference",
    ),
    Rule(
        "exceptions-do-not-concern",
        "return event.recurring_event_id is not None and Link.key_for(calendar_key, event.recurring_event_id) in links",
        "return False",
        "23: a cancelled instance names no conference",
    ),
    Rule(
        "others-are-recorded",
        "own = [ref for ref in sight if ref.calendar_key == calendar_key]\n    for ref in sorted",
        "own = list(sight)\n    for ref in sorted",
        "R4: a sync records its own calendar only",
    ),
    Rule(
        "listing-order",
        "for ref in sorted(own, key=lambda ref: taking.turn(draft, ref)):",
        "for ref in own:",
        "order of a batch",
    ),
    Rule("nothing-is-marked", "    if listing:\n", "    if False:\n", "R5: mark and sweep"),
    Rule(
        "all-links-are-written",
        "links=tuple(link for key, link in draft.links.items() if links.get(key) != link),",
        "links=tuple(draft.links.values()),",
        "R12: nothing is written when nothing differs",
    ),
    Rule(
        "all-conferences-are-written",
        "conferences=tuple(found for key, found in draft.conferences.items() if conferences.get(key) != found),",
        "conferences=tuple(draft.conferences.values()),",
        "R12: nothing is written when nothing differs",
    ),
)

"""What a conference should be, given the events that refer to it: which one drives, and whether it may end.

Several events may hold one conference: the parts of a split series, duplicates, a copy in another calendar. It ends
only when no owner is left, none moved out of sight, and it has not been held already. No I/O.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from confsync.core import replacing
from confsync.core.capabilities import Capabilities
from confsync.core.conference import Conference, Desired, Referent
from confsync.core.desires import cancel_end, desire, keep, schedule_end, timed, without_wanted_end
from confsync.core.driving import driver_of, handover_time, over_at, why_driver
from confsync.core.history import GRACE_BEGAN, note_driver, note_promoted, why_no_owner
from confsync.core.identity import is_same
from confsync.core.owners import (
    is_deserted,
    owners_of,
    promote_claims,
    unread_former_places,
    was_bound_later,
    was_owned,
    without_lost,
    without_moved,
    without_past,
)
from confsync.core.projection import clamped, fingerprint, project
from confsync.core.rules import Rules
from confsync.core.sight import Reading, Seen, Sight
from confsync.core.state import ConferenceState

OUT_OF_SIGHT = "kept: its event moved out of sight"


@dataclass(frozen=True)
class Judgement:
    """A conference as it should be recorded, or what has to be read before that can be said."""

    conference: Conference
    readings: tuple[Reading, ...] = ()


def judge(
    conference: Conference, sight: Sight, capabilities: Capabilities | None, now: datetime, rules: Rules
) -> Judgement:
    """Return what the conference should be now that its referents are up to date.

    Args:
        capabilities: of its conferencing system; None where the settings do not name it (any more): then who holds the
            conference is recorded, and its events are read again after a while, to see what it should be.

    """
    promoted = note_promoted(promote_claims(conference, rules.claims), conference.referents, now)
    if former_places := unread_former_places(promoted, sight):
        return Judgement(promoted, former_places)
    conference = without_moved(promoted, sight, now)
    conference = without_lost(conference, now)
    if owners := owners_of(conference, "live"):
        holder = next(iter(owners.values())).event_id
        conference = without_past(cancel_end(conference, holder, now), now)
        if capabilities is None:
            return Judgement(_not_followed(conference, now, rules))
        judgement = _follow_owners(conference, sight, capabilities, now, rules)
    else:
        judgement = Judgement(_without_owner(conference, now, rules))
    return replace(judgement, conference=_reviewed(judgement.conference, now, rules))


def _not_followed(conference: Conference, now: datetime, rules: Rules) -> Conference:
    """Events hold the conference, and nobody can say what it should be, since its provider is not configured."""
    held = without_wanted_end(conference)
    return timed(held.model_copy(update={"review_at": now + timedelta(seconds=rules.search_s)}))


def _without_owner(conference: Conference, now: datetime, rules: Rules) -> Conference:
    """Nobody who may speak for the conference holds it any more, or nobody does yet."""
    if owners_of(conference, "orphaned"):
        return keep(conference, OUT_OF_SIGHT, now)
    is_over = conference.gone or (conference.desired is not None and conference.desired.ended)
    if is_over or not owners_of(conference, "gone"):
        return conference
    if was_held(conference, now):
        return keep(conference, "kept: it was held already", now)
    return begin_grace(conference, why_no_owner(conference), now, rules)


def begin_grace(conference: Conference, why: str, now: datetime, rules: Rules) -> Conference:
    """Return the conference with its end decided, to be looked at again when the grace period is over.

    Not where that waits for an operator, or where one refused it.
    """
    if conference.end_after is not None or conference.brake in ("held", "rejected"):
        return conference
    return schedule_end(conference, rules.grace_s, f"{GRACE_BEGAN}: {why}", now)


def was_held(conference: Conference, now: datetime) -> bool:
    """Whether the last of its events is over: what was held is kept, with its reports and recordings."""
    known = conference.referents
    owners = [each for each in known.values() if each.role == "owner" and each.continues_in not in known]
    held = [end for each in owners if (end := over_at(each)) <= now and (each.since is None or end <= each.since)]
    last_held = max(held, default=None)
    return bool(owners) and all(over_at(each) <= now or _was_lost_before(each, last_held) for each in owners)


def _was_lost_before(owner: Referent, held: datetime | None) -> bool:
    """Whether the event was cancelled before a meeting of the same conference was held: only that one counts."""
    return held is not None and owner.since is not None and owner.since <= held


def _reviewed(conference: Conference, now: datetime, rules: Rules) -> Conference:
    """Say when to look again although nothing changed: at the driver's end, or to forget what is over."""
    review_at = conference.review_at
    if owners := owners_of(conference, "live"):
        review_at = handover_time(conference.driver, owners, now)
    elif is_deserted(conference) and (was_owned(conference) or not conference.registered):
        review_at = forget_time(conference, now, rules)
    elif any(known.since == now for known in conference.referents.values()):
        if owners_of(conference, "orphaned"):
            review_at = now
        elif is_deserted(conference):
            review_at = max(now, draft_time(conference, rules))  # the last claim is gone, and nobody owns it
    same = review_at == conference.review_at
    return conference if same else timed(conference.model_copy(update={"review_at": review_at}))


def forget_time(conference: Conference, now: datetime, rules: Rules) -> datetime:
    """Return how long a deserted conference is remembered: an event may be restored from the trash."""
    lost = [referent.since or now for referent in conference.referents.values()]
    vouched = [registration.at for registration in conference.registered.values()]
    return max([*lost, *vouched], default=now) + timedelta(seconds=rules.retention_s)


def draft_time(conference: Conference, rules: Rules) -> datetime:
    """Return until when the events that the add-on vouched for may come; there is at least one."""
    return last_word(conference) + timedelta(seconds=rules.draft_s)


def last_word(conference: Conference) -> datetime:
    """Return when the add-on vouched for an event of the conference last; it did at least once."""
    return max(vouched.at for vouched in conference.registered.values())


def last_seen_lost(conference: Conference) -> datetime | None:
    """Return when an event of the conference was found gone or out of sight last; None: never."""
    return max((referent.since for referent in conference.referents.values() if referent.since), default=None)


def _follow_owners(
    conference: Conference, sight: Sight, capabilities: Capabilities, now: datetime, rules: Rules
) -> Judgement:
    """Copies get conferences of their own where that is the policy; one of the others drives."""
    owners = owners_of(conference, "live")
    refused = replacing.refused_for(conference)
    mints = rules.duplicates == "mint" and capabilities.creates
    copies = replacing.copies_among(owners, conference) if mints else set()
    if conference.gone:
        copies &= replacing.minted_for(conference)  # its successor is for all others
    for key in sorted(copies - replacing.under_way(conference)):
        if over_at(owners[key]) <= now or (key in refused and owners[key].ref not in sight):
            continue
        state = _state_of(owners[key], sight, capabilities)
        if isinstance(state, Reading):
            return Judgement(conference, (state,))
        if state is not None and fingerprint(state) != refused.get(key):
            conference = replacing.mint(conference, key, state, now)
    served = copies - set(replacing.refused_for(conference))
    candidates = {key: owner for key, owner in owners.items() if key not in served}
    driver = driver_of(candidates, conference.registered, now)
    return _follow_driver(conference, driver, sight, capabilities, now)


def _in_sight(driver: Referent, owners: dict[str, Referent], sight: Sight) -> Referent:
    """A calendar that two people share shows one event twice: what one of them sees now speaks for both.

    So does the copy in the calendar to which it moved, where the former one cannot be read any more.
    """
    twins = (
        owner
        for owner in owners.values()
        if is_same(driver, owner) and (owner.organizer == driver.organizer or was_bound_later(owner, driver))
    )
    return next((owner for owner in (driver, *twins) if _is_shown(owner, sight)), driver)


def _is_shown(owner: Referent, sight: Sight) -> bool:
    seen = sight.get(owner.ref)
    return seen is not None and not seen.says_nothing


def _follow_driver(
    conference: Conference, driver: str, sight: Sight, capabilities: Capabilities, now: datetime
) -> Judgement:
    referent = _in_sight(conference.referents[driver], owners_of(conference, "live"), sight)
    following = _led_by(conference, driver, now)
    if over_at(referent) <= now:
        return Judgement(without_wanted_end(following))
    if referent.ref not in sight and not _is_undecided(conference, driver, capabilities, now):
        return Judgement(conference)
    state = _state_of(referent, sight, capabilities)
    if isinstance(state, Reading):
        return Judgement(conference, (state,))
    if state is None:
        return Judgement(without_wanted_end(following))  # whoever drives after it is read anew
    if replacing.is_beyond_revival(conference, capabilities):
        return Judgement(replacing.succeed(following, owners_of(conference, "live"), state, capabilities, now))
    return Judgement(desire(following, Desired(generation=0, fingerprint=fingerprint(state), state=state), now))


def _led_by(conference: Conference, driver: str, now: datetime) -> Conference:
    """Return the conference with its driver; that is worth a line where there was, or is, another to choose."""
    if conference.driver == driver:
        return conference
    following = conference.model_copy(update={"driver": driver})
    is_only = conference.driver is None and len(owners_of(conference, "live")) == 1
    return following if is_only else note_driver(following, why_driver(conference.referents[driver], now), now)


def _is_undecided(conference: Conference, driver: str, capabilities: Capabilities, now: datetime) -> bool:
    """Whether the driver has to be read: what is wanted may be what another event said, which was lost just now."""
    lost = (known for known in conference.referents.values() if (known.role, known.state) == ("owner", "gone"))
    if any(known.since == now for known in lost):
        return True
    if conference.driver != driver or conference.desired is None or conference.desired.ended:
        return True
    return capabilities.creates and replacing.lacks_successor(conference, owners_of(conference, "live"))


def _state_of(referent: Referent, sight: Sight, capabilities: Capabilities) -> ConferenceState | Reading | None:
    """Return what the event makes of its conference, what has to be read to know it, or None: it says nothing now."""
    ref = referent.ref
    seen = sight.get(ref)
    if seen is None:
        return Reading(ref)
    if seen.event is None or seen.event.is_cancelled or not seen.event.is_organizers_copy:
        return None
    if _needs_whole_series(seen, capabilities) and seen.exceptions is None:
        return Reading(ref, seen.event.ical_uid)
    return clamped(project(seen.event, seen.exceptions or (), capabilities.carries), capabilities)


def _needs_whole_series(seen: Seen, capabilities: Capabilities) -> bool:
    """A master read alone says nothing of its exceptions."""
    recurring = seen.event is not None and bool(seen.event.recurrence) and seen.event.ical_uid is not None
    return recurring and seen.confirmed and "occurrences" in capabilities.carries

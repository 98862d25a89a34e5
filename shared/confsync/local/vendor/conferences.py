"""What a command does to a conference. Pure, and the heart of a back end.

Three rules make lost, doubled and reordered calls harmless:

1. A call that was applied already is answered again and changes nothing.
2. A call whose generation is not above the stored one is answered `generation-stale`, with the stored one.
3. Ended conferences are kept: so a late call finds the newer generation, and a newer upsert revives them.

A fourth one is for making conferences: an operation makes one, however often it is asked for (`Conferences.make`).

It must never read a clock or touch the storage.
"""

from datetime import datetime, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict

from confsync.local.vendor.contract import Answer, Create, Delete, Desired, Upsert, problem

KEPT_AFTER_END = timedelta(days=30)


class Conference(BaseModel):
    """A conference as it is stored."""

    model_config = ConfigDict(frozen=True)

    conference_id: str
    key: str | None = None
    """The sender's name for it; None until the first call."""
    generation: int = 0
    operation_id: str = ""
    """Of the call that brought the stored generation."""
    state: Literal["live", "ended"] = "live"
    desired: Desired = Desired()
    host: str | None = None
    """E-mail address of whoever had the conference made; what later calls say of an organizer does not move it."""
    replaces: str | None = None
    """Id of the conference that this one has taken the place of in an event."""
    replaced_by: tuple[str, ...] = ()
    """Ids of the conferences that have taken this one's place, each in an event of its own."""
    changed_at: datetime
    ended_at: datetime | None = None


def apply(
    stored: Conference | None, command: Upsert | Delete, operation_id: str, now: datetime, *, restores: bool = True
) -> tuple[Conference | None, Answer]:
    """Return what is to be stored now, and the answer; an unknown conference is created by an upsert or a delete.

    Where the back end does not restore, an ended conference has ended for good.
    """
    if stored is None:
        stored = Conference(conference_id=command.data.conference_id, changed_at=now)
    elif refusal := _refusal(stored, command, operation_id, now, restores=restores):
        return stored, refusal
    changed = _changed(stored, command, operation_id, now)
    return changed, done(changed, "ended" if changed.state == "ended" else "applied")


def _refusal(
    stored: Conference, command: Upsert | Delete, operation_id: str, now: datetime, *, restores: bool
) -> Answer | None:
    """Return the answer to a command that changes nothing; None when it is to be applied."""
    if stored.key not in (None, command.data.key):
        wrong = [{"field": "data.key", "reason": "another key is bound to this conference"}]
        return problem(422, "key-mismatch", "the conference belongs to another key", field_errors=wrong)
    if _repeats(stored, command, operation_id):
        return done(stored, "repeated")
    if command.data.generation <= stored.generation:
        return problem(409, "generation-stale", "a newer state is stored", generation=stored.generation)
    if isinstance(command, Upsert) and stored.state == "ended":
        return _ended_for_good(stored, now, restores=restores)
    return None


def _ended_for_good(stored: Conference, now: datetime, *, restores: bool) -> Answer | None:
    if not restores:
        return problem(410, "conference-ended", "what has ended does not come back here")
    if is_forgotten(stored, now):
        return problem(410, "conference-ended", f"it ended more than {KEPT_AFTER_END.days} days ago")
    return None


def _repeats(stored: Conference, command: Upsert | Delete, operation_id: str) -> bool:
    """The same id with another content: the sender lost its memory and has to be told the stored generation."""
    same_content = isinstance(command, Delete) or _told(stored, command) == stored.desired
    return operation_id == stored.operation_id and same_content


def _told(stored: Conference, command: Upsert) -> Desired:
    """Return the state of the command; the attendees stay where it does not know them."""
    desired = command.data.desired
    if desired.attendees is not None:
        return desired
    return desired.model_copy(update={"attendees": stored.desired.attendees})


def is_forgotten(conference: Conference, now: datetime) -> bool:
    """Whether it ended so long ago that its content is no longer kept."""
    return conference.ended_at is not None and now - conference.ended_at > KEPT_AFTER_END


def _changed(stored: Conference, command: Upsert | Delete, operation_id: str, now: datetime) -> Conference:
    ends = isinstance(command, Delete)
    desired = stored.desired if isinstance(command, Delete) else _told(stored, command)
    # Until its first call a conference of the add-on's may have no host: the add-on does not always tell.
    host = stored.host or (host_in(desired) if stored.key is None else None)
    news = {
        "key": command.data.key,
        "generation": command.data.generation,
        "operation_id": operation_id,
        "state": "ended" if ends else "live",
        "desired": desired,
        "host": host,
        "changed_at": now,
        "ended_at": (stored.ended_at or now) if ends else None,
    }
    return stored.model_copy(update=news)


def host_in(desired: Desired) -> str | None:
    """Return who hosts a conference that is made so: its organizer, None where nobody is named."""
    return desired.organizer.email if desired.organizer else None


def created(command: Create, conference_id: str, operation_id: str, now: datetime) -> Conference:
    """Return the new conference that the command asks for; it counts as generation 1, and no key is bound yet."""
    desired = command.data.desired
    return Conference(
        conference_id=conference_id,
        generation=1,
        operation_id=operation_id,
        desired=desired,
        host=host_in(desired),
        replaces=command.data.replaces,
        changed_at=now,
    )


def replaced(old: Conference, new: Conference) -> Conference:
    """Return the old conference, which now knows what has taken its place; it is not ended by that."""
    return old.model_copy(update={"replaced_by": (*old.replaced_by, new.conference_id), "changed_at": new.changed_at})


def forgotten(conference: Conference) -> Conference:
    """Return the conference without its content; key and generation stay, so that late calls stay harmless."""
    return conference.model_copy(update={"desired": Desired(), "host": None})


def done(conference: Conference, outcome: str) -> Answer:
    """Return the answer that names the stored generation."""
    body = {
        "conference_id": conference.conference_id,
        "generation": conference.generation,
        "state": conference.state,
    }
    return Answer(200, body, outcome)

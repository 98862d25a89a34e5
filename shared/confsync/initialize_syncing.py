"""Begin to sync a calendar, and vouch for a conference that the add-on just created in one of its events.

    store calendar and registration -> open the channel -> run the first sync

The channel is open before the first listing, so that no change falls between. Idempotent: doing it again, or twice at
once, makes one channel. It must never bind a conference to any other event than the one that is named.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from confsync.ask_to_observe import asked_within, start_asked, with_more_to_observe
from confsync.core import calendar_states, channels, leases, reviewing
from confsync.core.channels import PushTerms
from confsync.core.conference import Conference, Registration
from confsync.core.records import Calendar, Link
from confsync.core.terms import Terms
from confsync.errors import RequestMalformed
from confsync.open_channel import ChannelOutcome, open_channel
from confsync.ports import Outside, Transaction
from confsync.sync_calendar import SyncOutcome, SyncRequest, sync_calendar


class InitializeRequest(BaseModel):
    """What the add-on sends to the worker's private `/initialize`; its JSON schema is published in the docs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    calendar_id: str = Field(min_length=1, max_length=1024)
    """Id of the calendar; `primary` stands for the subject's own."""
    subject: str = Field(min_length=3, max_length=320, pattern=r"^[^@\s]+@[^@\s]+$")
    """E-mail address of the user on whose behalf Calendar is called."""
    conference_id: str | None = Field(None, min_length=1, max_length=512)
    """As it stands in the event's conference data."""
    event_id: str | None = Field(None, min_length=1, max_length=1024)
    """The event that holds the conference; it need not exist yet."""
    provider: str | None = None
    """Conferencing system of the conference; may be left out where there is only one."""

    @model_validator(mode="after")
    def _conference_and_event_go_together(self) -> Self:
        if (self.conference_id is None) != (self.event_id is None):
            raise ValueError("give conference_id and event_id together, or neither")
        return self

    @property
    def canonical_calendar_id(self) -> str:
        """Never `primary`: that would name different calendars for different users."""
        return self.subject if self.calendar_id == "primary" else self.calendar_id


@dataclass(frozen=True)
class InitializeOutcome:
    """What became of it, for the answer and the log."""

    calendar_key: str
    conference_key: str | None
    is_bound: bool
    """Whether the event was seen to hold the conference; if not, it binds as soon as it does."""
    channel: ChannelOutcome
    sync: SyncOutcome

    @property
    def is_complete(self) -> bool:
        """Whether the calendar's changes will be seen, and the conference, if one was named, found in its event."""
        is_announced = self.channel.status in ("active", "announced", "poll_only") and not self.is_frozen
        return is_announced and (self.is_bound or self.conference_key is None)

    @property
    def is_paused(self) -> bool:
        """Whether an operator left the calendar alone: what was registered is read when it is resumed."""
        return self.sync.status == "dropped" and not self.is_frozen

    @property
    def is_frozen(self) -> bool:
        """Whether nothing is synced or watched, since Calendar does not show the calendar in full."""
        return "frozen" in (self.channel.status, self.sync.status)

    def to_json(self) -> str:
        """Return the answer that the add-on gets."""
        answer = {
            "calendar_key": self.calendar_key,
            "conference_key": self.conference_key,
            "conference": {"status": "bound" if self.is_bound else "waiting", "reason": self._why_waiting()},
            "channel": {"status": self.channel.status, "reason": self.channel.reason},
            "sync": {"status": self.sync.status, "reason": self.sync.reason},
        }
        return json.dumps(answer) + "\n"

    def _why_waiting(self) -> str:
        if self.is_bound:
            return ""
        if self.conference_key is None:
            return "no conference was named"
        return "no event of that id shows this conference to its organizer; it binds when one does"


def initialize_syncing(
    request: InitializeRequest, outside: Outside, terms: Terms, push: PushTerms
) -> InitializeOutcome:
    """Register, watch, sync.

    Raises:
        RequestMalformed: the request names a provider that is not configured, or none where there are several.
        StoreUnavailable, CalendarUnavailable, TaskQueueError: do it again; what was stored is healed in any case.

    """
    calendar_key = Calendar.key_for(terms.tenant, request.canonical_calendar_id, request.subject)
    conference = _conference(request, calendar_key, outside.now(), terms)
    calendar, others = outside.store.transact(lambda tx: _register(tx, request, conference, outside, terms))
    channel = ChannelOutcome("active", "it was open already")
    if calendar.state == "poll_only":
        channel = ChannelOutcome("poll_only", calendar.reason)
    if channels.needs_channel(calendar, outside.now()):
        channel = open_channel(calendar_key, outside, push, terms.rules)
    start_asked(others, outside)
    sync = sync_calendar(SyncRequest(calendar_key), outside, terms)
    is_bound = conference is not None and _is_bound(conference, outside)
    return InitializeOutcome(calendar_key, conference.key if conference else None, is_bound, channel, sync)


def _is_bound(registered: Conference, outside: Outside) -> bool:
    stored = outside.store.get(Conference, registered.key)
    held_by = [stored.referents.get(link_key) for link_key in registered.registered] if stored else []
    return any(referent is not None and (referent.role, referent.state) == ("owner", "live") for referent in held_by)


def _conference(request: InitializeRequest, calendar_key: str, now: datetime, terms: Terms) -> Conference | None:
    if request.conference_id is None or request.event_id is None:
        return None
    provider, event_id = _provider(request.provider, terms), request.event_id
    vouched = Registration(calendar_key=calendar_key, event_id=event_id, at=now)
    return Conference(
        key=Conference.key_for(terms.tenant, provider, request.conference_id),
        tenant=terms.tenant,
        provider=provider,
        conference_id=request.conference_id,
        registered={Link.key_for(calendar_key, event_id): vouched},
    )


def _provider(named: str | None, terms: Terms) -> str:
    configured = sorted(terms.capabilities)
    provider = named or (configured[0] if len(configured) == 1 else None)
    if provider not in configured:
        raise RequestMalformed(f"provider: {named!r} is not one of those configured: {', '.join(configured)}")
    return provider


def _register(
    tx: Transaction, request: InitializeRequest, conference: Conference | None, outside: Outside, terms: Terms
) -> tuple[Calendar, list[Calendar]]:
    """Return the calendar, and others that were asked to read their events: the add-on's word may be worth a call."""
    calendar_key = Calendar.key_for(terms.tenant, request.canonical_calendar_id, request.subject)
    calendar = tx.get(Calendar, calendar_key)
    known = tx.get(Conference, conference.key) if conference else None
    held_by = [event.ref for event in known.referents.values() if event.state == "live"] if known else []
    others = asked_within(tx, [ref for ref in held_by if ref.calendar_key != calendar_key], outside.now())
    if calendar is None:
        calendar = _new_calendar(calendar_key, request, outside, terms)
    elif calendar.state == "removed":
        calendar = calendar_states.added_again(calendar, outside.now())
    if conference is not None and request.event_id is not None:
        tx.put(reviewing.registered(known or conference, conference.registered, terms.rules))
        own = (ref.event_id for ref in held_by if ref.calendar_key == calendar_key)
        calendar = with_more_to_observe(calendar, [request.event_id, *own])
    if leases.is_synced(calendar):
        calendar = channels.sync_at_once(calendar, outside.now())
    for asked in (calendar, *others):
        tx.put(asked)
    return calendar, others


def _new_calendar(key: str, request: InitializeRequest, outside: Outside, terms: Terms) -> Calendar:
    """Due at once in every respect, so that a crash right after this is healed by the next run of renew_channels."""
    return Calendar(
        key=key,
        tenant=terms.tenant,
        calendar_id=request.canonical_calendar_id,
        subject=request.subject,
        renew_at=outside.now(),
        due_at=outside.now(),
    )

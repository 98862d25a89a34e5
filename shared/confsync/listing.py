"""One worker's way through a calendar's changes: pages, sweep, commit, and again if more was asked for meanwhile.

    list --page--> list --last page--> commit                   (with a sync token)
    list --page--> list --last page--> sweep --links--> commit  (without one)

Each arrow is one transaction that checks the fence and extends the lease; events that were registered are read between
a page and its transaction. It must never commit a sync token before the sweep of a full listing is done: until then
deletions in the gap are known nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from confsync.core import leases, reconciliation
from confsync.core.conference import Conference
from confsync.core.events import Event, EventPage, Window
from confsync.core.records import Calendar, Checkpoint, EventRef, Failure, Link
from confsync.core.sight import Reading, Seen
from confsync.core.terms import Terms
from confsync.errors import BudgetSpent, CalendarAccessLost, CalendarUnavailable, PageTokenRejected, SyncTokenRejected
from confsync.leased_reader import LeasedReader
from confsync.listed_items import ListedItems
from confsync.observe import Advance, Observed, Observer
from confsync.ports import Outside
from confsync.reading import address_of

MAX_RESTARTS = 3
MOST_CLAIMS_NAMED = 10


class Listing:
    """Lists a leased calendar until everything that was asked for is served and the lease is given back."""

    def __init__(
        self,
        claimed: Calendar,
        outside: Outside,
        terms: Terms,
        tell: Callable[[Conference], object],
        *,
        reconciles: bool,
    ) -> None:
        """Begin, or go on from the calendar's checkpoint.

        Args:
            tell: called with each conference that changed so far, when a commit does not end the work.
            reconciles: whether nothing asked for this sync: what it finds was not announced.

        """
        self._reconciles = reconciles
        self._tell = tell
        self.calendar = claimed
        """As last stored; its lease is None once the listing is committed."""
        self.listed = self.missed = 0
        self.changed: dict[str, Conference] = {}
        self.announced = ""
        """Key of the changed conference whose call was announced as the lease was given back."""
        self.claims: list[str] = []
        """Events that claim a conference for which nobody vouched, for the log."""
        self._items = ListedItems(claimed, outside, terms)
        self._reader = LeasedReader(claimed, outside, terms.rules)
        self._observer = Observer(claimed, self._reader, outside, terms)
        self._outside, self._terms, self._rules = outside, terms, terms.rules
        self.stop_at = outside.now() + timedelta(seconds=terms.rules.sync_budget_s)
        self._restarts = 0

    def run(self) -> None:
        """Work until the lease is given back.

        Raises:
            BudgetSpent: time is up; the checkpoint says where to go on.
            FenceLost: another worker owns the calendar.
            CalendarError: as Calendar answered; what was recorded so far stays.

        """
        while self.calendar.lease is not None:
            try:
                self._list()
            except SyncTokenRejected:
                self._start_over(keep_token=False)
            except PageTokenRejected:
                self._start_over(keep_token=True)
            self._reconciles = False
            if self.calendar.lease is not None and not self.calendar.to_observe:
                for conference in self.changed.values():
                    self._tell(conference)
                self.changed.clear()

    def _start_over(self, *, keep_token: bool) -> None:
        self._restarts += 1
        if self._restarts > MAX_RESTARTS:
            raise CalendarUnavailable(f"calendar {self.calendar.key}: Calendar rejects tokens that it just issued")
        token = self.calendar.sync_token if keep_token else None
        self._record(Observed({}), lambda calendar: self._extended(leases.drop_token(calendar, token)))

    def _observe_registered(self) -> None:
        """Read the events that were registered since the last sync, whether Calendar lists them or not.

        Only after a page was shown in full: nobody knows before in which role they are read. While a full listing goes
        on they wait, since nothing proves yet that one of them is unknown.
        """
        taken = self.calendar.to_observe[: self._rules.chunk_size]
        if not taken or self._token is None:
            return
        registered = (Reading(EventRef(self.calendar.key, event_id)) for event_id in taken)
        sight = self._reader.read(registered, self.calendar.sync_token)

        def advance(calendar: Calendar) -> Calendar:
            waiting = calendar.to_observe[len(taken) :]  # others add to its end, also one that was just read
            return self._extended(calendar.model_copy(update={"to_observe": waiting}))

        self._record(Observed(sight, tuple(self._reader.failures_of(sight))), advance)

    @property
    def _token(self) -> str | None:
        return leases.usable_token(self.calendar, self._terms.listing_version)

    def _list(self) -> None:
        checkpoint: Checkpoint | None = (
            leases.usable_checkpoint(self.calendar, self._terms.listing_version) or self._begin()
        )
        self._items.forget()
        while checkpoint is not None:
            if self._outside.now() >= self.stop_at:
                raise BudgetSpent(f"calendar {self.calendar.key}: stopped at its checkpoint")
            checkpoint = self._list_page(checkpoint) if checkpoint.phase == "list" else self._sweep(checkpoint)

    def _begin(self) -> Checkpoint:
        full = self._token is None
        return Checkpoint(
            listing=self.calendar.full_listings + 1 if full else 0,
            listing_version=self._terms.listing_version,
            started_at=self._outside.now(),
            requested=self.calendar.requested,
            missed=0 if self._reconciles and not full else None,
        )

    def _list_page(self, checkpoint: Checkpoint) -> Checkpoint | None:
        page = self._outside.calendar_api.list_events(
            address_of(self.calendar),
            sync_token=None if checkpoint.listing else self._token,
            page_token=checkpoint.page_token,
            window=self._window(checkpoint),
        )
        if not page.read_as_writer:
            raise CalendarAccessLost("events are not shown in full any more", reason=f"accessRole {page.access_role}")
        self._reader.note_full_access()
        self._observe_registered()
        self.listed += len(page.items)
        return self._record_page(page, self._with_missed(_after_page(checkpoint, page), page.items))

    def _with_missed(self, checkpoint: Checkpoint, items: Sequence[Any]) -> Checkpoint:
        if checkpoint.missed is None:
            return checkpoint
        missed = reconciliation.count_missed(items, self.calendar, checkpoint.started_at, self._rules)
        self.missed += missed
        return checkpoint.model_copy(update={"missed": checkpoint.missed + missed})

    def _window(self, checkpoint: Checkpoint) -> Window:
        first = leases.is_first_sync(self.calendar)
        return self._rules.first_window(checkpoint.started_at) if first else Window()

    def _record_page(self, page: EventPage, after: Checkpoint) -> Checkpoint | None:
        done = after.phase == "list" and after.next_sync_token is not None
        events, failures = self._items.of_interest(page.items, after)
        chunks = [events[i : i + self._rules.chunk_size] for i in range(0, len(events), self._rules.chunk_size)]
        for chunk in chunks[:-1]:
            self._record(self._observed(chunk, after, is_part=True), self._begun(after))
        is_part = after.page_token is not None
        last = self._observed(chunks[-1] if chunks else [], after, tuple(failures), is_part=is_part)
        self._record(last, self._committed(after) if done else self._moved_to(after))
        return None if done else after

    def _observed(
        self, events: list[Event], at: Checkpoint, failures: tuple[Failure, ...] = (), *, is_part: bool
    ) -> Observed:
        sight = {EventRef(self.calendar.key, event.id): Seen(event, listed=True) for event in events}
        return Observed(sight, failures, at.listing, is_part)

    def _sweep(self, checkpoint: Checkpoint) -> Checkpoint | None:
        """Read each event that a full listing did not show: deleted in the gap, out of sight, or not listed at all."""
        limit = self._rules.chunk_size
        links = self._outside.store.links_of(self.calendar.key, after=checkpoint.swept_to, limit=limit)
        readings = (Reading(link.ref) for link in self._unseen(links, checkpoint))
        sight = self._reader.read(readings, checkpoint.next_sync_token)  # proves that all is still shown in full
        observed = Observed(sight, tuple(self._reader.failures_of(sight)), checkpoint.listing, is_sweep=True)
        if len(links) < limit:
            self._record(observed, self._committed(checkpoint))
            return None
        after = checkpoint.model_copy(update={"swept_to": links[-1].key})
        self._record(observed, self._moved_to(after))
        return after

    def _unseen(self, links: list[Link], checkpoint: Checkpoint) -> list[Link]:
        unseen = [link for link in links if link.seen_in != checkpoint.listing and link.series_id is None]
        conferences = self._outside.store.get_many(Conference, {link.conference_key for link in unseen})
        return [link for link in unseen if _is_held(link, conferences)]

    def _extended(self, calendar: Calendar) -> Calendar:
        return leases.extend(calendar, self._outside.now(), self._rules)

    def _begun(self, checkpoint: Checkpoint) -> Advance:
        """Within a page: a full listing's number is used up, so that no later one mistakes its marks for its own."""
        return lambda calendar: self._extended(leases.use_listing_number(calendar, checkpoint))

    def _moved_to(self, checkpoint: Checkpoint) -> Advance:
        return lambda calendar: leases.save_checkpoint(calendar, checkpoint, self._outside.now(), self._rules)

    def _committed(self, checkpoint: Checkpoint) -> Advance:
        previous = self.calendar.sync_token
        return lambda calendar: leases.commit(calendar, checkpoint, previous, self._outside.now(), self._rules)

    def _record(self, observed: Observed, advance: Advance) -> None:
        self.calendar, found = self._observer.record(observed, advance)
        self.changed.update({conference.key: conference for conference in found.conferences})
        self.announced = found.announced
        self.claims.extend(sorted(ref.event_id for ref in found.claims)[: MOST_CLAIMS_NAMED - len(self.claims)])
        self._items.note(found.links)


def _after_page(checkpoint: Checkpoint, page: EventPage) -> Checkpoint:
    if page.next_page_token is not None:
        return checkpoint.model_copy(update={"page_token": page.next_page_token})
    if page.next_sync_token is None:
        raise CalendarUnavailable("the last page of a listing came without a sync token")
    phase = "sweep" if checkpoint.listing else "list"
    update = {"phase": phase, "page_token": None, "next_sync_token": page.next_sync_token}
    return checkpoint.model_copy(update=update)


def _is_held(link: Link, conferences: Mapping[str, Conference]) -> bool:
    conference = conferences.get(link.conference_key)
    referent = conference.referents.get(link.key) if conference else None
    return referent is not None and referent.state != "gone"

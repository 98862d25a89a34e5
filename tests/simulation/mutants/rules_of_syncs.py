"""Mutants of how a calendar is synced: token, fence, lease and sweep."""

from tests.simulation.mutants.switches import Mutant, mutant

TOKENS: tuple[Mutant, ...] = (
    mutant(
        "token-before-effects",
        "R1",
        "The token moves before what it covers is recorded (testing.md: token saved before apply).",
        (
            "observe:Observer._attempt",
            "for changed in (*found.links, *found.conferences, *failures, *asked, *brakes, advanced):\n"
            "                tx.put(changed)",
            "left[:] = [*found.links, *found.conferences, *failures, *asked, *brakes]; tx.put(advanced)",
        ),
        (
            "observe:Observer._attempt",
            "return self._outside.store.transact(body)",
            "left = []\n        answer = self._outside.store.transact(body)\n"
            "        self._outside.store.transact(lambda tx: [tx.put(each) for each in left])\n        return answer",
        ),
    ),
    mutant(
        "rejected-token-is-kept",
        "R5",
        "After a 410 the old token stays, and the calendar is never listed again (testing.md: swallow 410).",
        ("listing:Listing._start_over", "self.calendar.sync_token if keep_token else None", "self.calendar.sync_token"),
    ),
    mutant(
        "no-sweep",
        "R5",
        "What was deleted before a full listing is never found (testing.md: no mark-and-sweep after 410).",
        (
            "listing:Listing._sweep",
            "readings = (Reading(link.ref) for link in self._unseen(links, checkpoint))",
            "readings = ()",
        ),
    ),
    mutant(
        "thaw-without-full-listing",
        "R5",
        "Access comes back, and the listing goes on from the old token.",
        ("core.leases:freeze", '"sync_token": None,', '"sync_token": calendar.sync_token,'),
    ),
    mutant(
        "every-full-listing-has-a-window",
        "R5",
        "A full listing shows only the events that the first one would.",
        ("core.leases:is_first_sync", "return calendar.sync_generation == 0", "return True"),
    ),
    mutant(
        "resumed-checkpoint-serves-all",
        "R7",
        "A checkpoint counts as begun when it was saved, not before page 1.",
        (
            "core.leases:save_checkpoint",
            '{"checkpoint": checkpoint}',
            '{"checkpoint": checkpoint.model_copy(update={"requested": calendar.requested})}',
        ),
    ),
    mutant(
        "rejected-page-is-asked-again",
        "R7",
        "A rejected page token does not begin the listing anew.",
        (
            "listing:Listing._start_over",
            "self._extended(leases.drop_token(calendar, token))",
            "self._extended(calendar if keep_token else leases.drop_token(calendar, token))",
        ),
    ),
    mutant(
        "reduced-access-is-proof",
        "R9",
        "What is not shown to a mere reader counts as gone.",
        ("reading:shows_in_full", "return page.read_as_writer", "return True"),
        ("listing:Listing._list_page", "if not page.read_as_writer:", "if False:"),
        ("core.binding:verdict", "if not (seen.as_writer and event.is_readable):", "if False:"),
    ),
    mutant(
        "one-event-blocks",
        "R18",
        "An event that Calendar refuses to show makes its whole sync fail.",
        ("reading:read_event", "return Seen(None, unreadable=True)", "raise"),
    ),
)

LEASES: tuple[Mutant, ...] = (
    mutant(
        "fence-is-not-checked",
        "R2",
        "A worker that lost its calendar goes on writing.",
        (
            "core.leases:check_fence",
            "calendar is None or calendar.fence != fence or calendar.lease is None",
            "calendar is None or calendar.lease is None",
        ),
    ),
    mutant(
        "claim-keeps-the-fence",
        "R2",
        "A new worker has the fence of the one whose lease it took.",
        ("core.leases:claim", "fence = calendar.fence + 1", "fence = calendar.fence"),
    ),
    mutant(
        "freezing-keeps-the-fence",
        "R2",
        "A calendar changes its state, and its worker does not notice.",
        ("core.leases:freeze", '"fence": calendar.fence + 1,', '"fence": calendar.fence,'),
    ),
    mutant(
        "previous-token-is-not-checked",
        "R2",
        "A token is committed over one that another sync committed.",
        ("core.leases:commit", "if calendar.sync_token != previous_token:", "if False:"),
    ),
    mutant(
        "no-lease",
        "R4",
        "Every task claims the calendar, whoever syncs it.",
        (
            "core.leases:is_leased",
            "return calendar.lease is not None and calendar.lease.expires_at > now",
            "return False",
        ),
    ),
    mutant(
        "no-lease-and-no-fence",
        "R4",
        "Several workers sync one calendar at once (testing.md: no single-flight lease).",
        (
            "core.leases:is_leased",
            "return calendar.lease is not None and calendar.lease.expires_at > now",
            "return False",
        ),
        (
            "core.leases:check_fence",
            "calendar is None or calendar.fence != fence or calendar.lease is None",
            "calendar is None or calendar.lease is None",
        ),
    ),
    mutant(
        "busy-is-not-counted",
        "R4",
        "A task that finds the lease held leaves no request behind.",
        (
            "core.leases:claim",
            "return Claim(_due_after(asked, calendar.lease.expires_at, rules), granted=False)",
            "return Claim(calendar, granted=False)",
        ),
    ),
    mutant(
        "no-task-after-the-lease",
        "R4",
        "A task that finds the lease held makes no other.",
        ("sync_calendar:_claim", "if claim.calendar.lease is not None:", "if False:"),
    ),
    mutant(
        "lease-is-not-extended",
        "R4",
        "A long sync loses its calendar again and again.",
        (
            "core.leases:extend",
            '{"expires_at": now + timedelta(seconds=rules.lease_s)}',
            "{}",
        ),
    ),
    mutant(
        "lease-is-not-kept-while-reading",
        "R4",
        "Between two pages the lease is not extended, however long the readings take.",
        (
            "leased_reader:LeasedReader._is_due",
            "now - self._extended_at >= timedelta(seconds=self._rules.extend_every_s)",
            "False",
        ),
    ),
    mutant(
        "lease-is-left-behind",
        "R4",
        "A sync that broke off keeps its lease until it expires.",
        ("sync_calendar:_give_back", "if listing.calendar.lease is None:", "if True:"),
    ),
    mutant(
        "leased-is-not-due",
        "R4",
        "Nothing finds a calendar whose worker died.",
        (
            "core.leases:_due_after",
            'calendar.model_copy(update={"due_at": at + timedelta(seconds=rules.skew_s)})',
            'calendar.model_copy(update={"due_at": None})',
        ),
    ),
)

SYNCS = (*TOKENS, *LEASES)

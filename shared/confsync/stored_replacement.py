"""One replacement of a conference on its way, as it was stored last, and how it is stored when it moves on.

It must never change a replacement that another worker has carried further.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from confsync.ask_to_observe import asked_within, start_asked
from confsync.core import replacing
from confsync.core.conference import Conference, Replacement
from confsync.core.records import Calendar, Failure
from confsync.core.terms import Terms
from confsync.ports import Outside, Transaction

Change = Callable[[Conference, Replacement], Conference]


@dataclass(frozen=True)
class StoredReplacement:
    """A replacement, and the conference that it is for."""

    old: Conference
    replacement: Replacement
    outside: Outside
    terms: Terms

    def change(self, change: Change, begun: int | None = None) -> bool:
        """Change the stored replacement, if it is still there; whether it is.

        Args:
            begun: how many attempts this worker knows of; where there were more, it knows less, and changes nothing.

        """

        def body(tx: Transaction) -> bool:
            stored, known = self._read(tx, begun)
            if stored is None or known is None:
                return False
            tx.put(change(stored, known))
            return True

        return self.outside.store.transact(body)

    def _read(self, tx: Transaction, begun: int | None) -> tuple[Conference | None, Replacement | None]:
        stored = tx.get(Conference, self.old.key)
        replacements = stored.replacements if stored else ()
        known = (each for each in replacements if each.number == self.replacement.number)
        return stored, next((each for each in known if begun in (None, each.attempts)), None)

    def finish(self) -> None:
        """Store that each of its events was looked at.

        People may have put the old conference back just before, and a sync may have seen that while the replacement was
        under way; and the push of our own write may be lost.
        """
        links = self.replacement.links
        self._close(lambda stored, known: replacing.done(stored, known, links))

    def give_up(self, begun: int, failure: Failure) -> None:
        """Store that its events keep what they have: one of them may drive the old conference from now on.

        Nobody asks for it again; so what an operator is to know of it is stored with it.
        """
        self._close(replacing.given_up, begun, failure)

    def cancel(self, begun: int | None = None) -> None:
        """Store that it is not needed as it is: an event that came back meanwhile is planned for anew."""
        self._close(replacing.cancelled, begun)

    def _close(self, change: Change, begun: int | None = None, failure: Failure | None = None) -> None:
        """Change the stored replacement, and have the events read once more that it is for by now."""

        def body(tx: Transaction) -> list[Calendar]:
            stored, known = self._read(tx, begun)
            if stored is None or known is None:
                return []
            refs = [stored.referents[key].ref for key in known.links if key in stored.referents]
            asked = asked_within(tx, refs, self.outside.now())
            for changed in (change(stored, known), *asked, *([failure] if failure else [])):
                tx.put(changed)
            return asked

        start_asked(self.outside.store.transact(body), self.outside)

    def go_on_in(self, wait: timedelta, begun: int | None = None, *, perhaps_made: bool = True) -> None:
        """Store when to go on."""
        due_at = self.outside.now() + wait
        self.change(lambda stored, known: replacing.waiting(stored, known, due_at, perhaps_made=perhaps_made), begun)

"""One replacement of a conference on its way, as it was stored last, and how it is stored when it moves on.

It must never change a replacement that another worker has carried further.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from confsync.core import replacing
from confsync.core.conference import Conference, Replacement
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
            stored = tx.get(Conference, self.old.key)
            replacements = stored.replacements if stored else ()
            known = next((each for each in replacements if each.number == self.replacement.number), None)
            if stored is None or known is None or begun not in (None, known.attempts):
                return False
            tx.put(change(stored, known))
            return True

        return self.outside.store.transact(body)

    def go_on_in(self, wait: timedelta, begun: int | None = None, *, perhaps_made: bool = True) -> None:
        """Store when to go on."""
        due_at = self.outside.now() + wait
        self.change(lambda stored, known: replacing.waiting(stored, known, due_at, perhaps_made=perhaps_made), begun)

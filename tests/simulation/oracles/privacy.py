"""What must not be written down: what people wrote into their events, but in a state that has yet to be told (R21).

It must never look at what is no text.
"""

import re

from confsync.core.conference import Conference
from confsync.core.records import Failure, Record
from tests.simulation.oracles.ledger import Complaints

NUMBERED = ("Title ", "Special ", "Agenda ", "Room ", "Draft ")
WHOLE = ("Forged", "Mirrored")
_WRITTEN = re.compile(rf"(?:{'|'.join(NUMBERED)})\d|{'|'.join(WHOLE)}")
"""All that people write in a simulation."""


def watch_record(record: Record, body: str, complaints: Complaints) -> None:
    """Judge a record as it is stored.

    Args:
        body: of the record, in JSON.

    """
    if isinstance(record, Conference):
        _watch_state(record, complaints)
        if '"state":{' in body:
            return
    if written_in(body):
        complaints.add("R21", f"{record.kind} {record.key} holds what somebody wrote: {body}")
    if isinstance(record, Failure) and "@" in body:
        complaints.add("R21", f"failure {record.key} names somebody: {body}")


def _watch_state(conference: Conference, complaints: Complaints) -> None:
    """A state is kept for as long as it has to be told, and no longer."""
    desired, told = conference.desired, conference.applied
    if desired is None or desired.state is None or conference.intent is not None:
        return
    if max(told.generation if told else 0, conference.refused) >= desired.generation:
        complaints.add("R21", f"{conference.conference_id} keeps a state that was told")


def watch_answer(answer: object, complaints: Complaints) -> None:
    """Judge what a worker's answer says to the log."""
    if found := written_in(repr(answer)):
        complaints.add("R21", f"an answer says {found!r}: {type(answer).__name__}")


def written_in(text: str) -> str:
    """Return something that somebody wrote and that stands in the text, or nothing."""
    for word in (*NUMBERED, *WHOLE):
        if word in text:  # cheaper than the pattern, and hardly ever so
            found = _WRITTEN.search(text)
            return found.group() if found else ""
    return ""

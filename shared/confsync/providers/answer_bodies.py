"""Reads the answers whose body counts: the conference that a back end has made, and who hosts one.

Pure. It must never take a body for good that says less than the contract asks: an event is rewritten, or a conference
ended, on the word of it.
"""

import re
from typing import Any

from confsync.errors import ProviderRejected
from confsync.ports import CreatedConference
from confsync.providers.answers import Asked
from confsync.providers.conference_data import ConferenceDataRejected, checked_conference_data
from confsync.providers.problems import shown

LONGEST_EMAIL = 320

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")


def created_in(body: dict[str, Any] | None, asked: Asked) -> CreatedConference:
    """Return the conference that the body of an answer to `conference.create` describes.

    Raises:
        ProviderRejected: it describes none; the message names each wrong member and what is expected.

    """
    conference_id = _object(body, asked).get("conference_id")
    if not isinstance(conference_id, str) or not conference_id:
        raise _wrong(asked, "conference_id: expected the new conference's id, a text")
    if conference_id == asked.conference_id:
        raise _wrong(asked, "conference_id: expected a new conference's id, not that of the one to be replaced")
    try:
        data = checked_conference_data(_object(body, asked).get("conference_data"), conference_id)
    except ConferenceDataRejected as error:
        raise _wrong(asked, *error.complaints) from None
    return CreatedConference(conference_id, data)


def host_in(body: dict[str, Any] | None, asked: Asked) -> str | None:
    """Return the host's e-mail address in the body of an answer to `conference.get`, None where it names no host.

    Raises:
        ProviderRejected: the body speaks of another conference, or its host is malformed.

    """
    told = _object(body, asked)
    if told.get("conference_id") != asked.conference_id:
        raise _wrong(asked, "conference_id: expected the id that was asked for")
    host = told.get("host")
    if host is None:
        return None
    email = host.get("email") if isinstance(host, dict) else None
    if not isinstance(email, str) or len(email) > LONGEST_EMAIL or not _EMAIL.fullmatch(email):
        raise _wrong(asked, 'host: expected {"email": ADDRESS}, or null where it is not known')
    return email


def _object(body: dict[str, Any] | None, asked: Asked) -> dict[str, Any]:
    if body is None:
        raise _wrong(asked, "expected a JSON object of at most 64 KiB as the body")
    return body


def _wrong(asked: Asked, *expected: str) -> ProviderRejected:
    found = "; ".join(shown(one, asked.state) for one in expected)
    return ProviderRejected(f"{asked}: done, but the answer cannot be used; {found}")

"""The requests to Firestore, one method each, through Google's generated client.

The generated client says plainly what became of each request. The hand-written one does not: its transactions hide a
begin that failed behind a `ValueError`, and do not run again where a read meets another transaction. It must never
repeat a request that writes or locks, since what became of the first one is not known; but the read that begins a
transaction is asked again where the connection broke, as it does while an instance is frozen: without its answer nobody
could give its locks back anyway.
https://docs.cloud.google.com/firestore/docs/reference/rpc/google.firestore.v1
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, TypeVar

import grpc
from google.api_core.exceptions import (
    Aborted,
    DeadlineExceeded,
    InternalServerError,
    InvalidArgument,
    ResourceExhausted,
    ServiceUnavailable,
)
from google.api_core.retry import Retry, if_exception_type
from google.cloud.firestore_v1.services.firestore import FirestoreClient
from google.cloud.firestore_v1.services.firestore.transports import FirestoreGrpcTransport
from google.cloud.firestore_v1.types import BatchGetDocumentsResponse, Document
from grpc.experimental import ChannelOptions

from confsync.adapters.firestore_errors import FAILURES, is_expiry, translated
from confsync.adapters.firestore_layout import BODY, EXPIRES_AT, document_path, indexed, key_in, time_in
from confsync.adapters.per_process import PerProcess
from confsync.adapters.stored import CALENDARS, DueRow, Write, decode, decode_due
from confsync.core.records import Record
from confsync.core.unreadable import Due
from confsync.errors import StoreUnavailable

R = TypeVar("R", bound=Record)


PASSING = if_exception_type(DeadlineExceeded, InternalServerError, ResourceExhausted, ServiceUnavailable)
BROKEN = if_exception_type(ServiceUnavailable)

_ON_THIS_THREAD = (ChannelOptions.SingleThreadedUnaryStream, 1)
"""Read streamed answers, such as documents, on the thread that asks; else each such request starts a thread."""


class LostRace(Exception):
    """Another transaction holds or changed what this one read: no error, its body runs again."""


class Expired(LostRace):
    """Firestore took the locks back, as it does after a minute without a request; nothing was written."""


class FirestoreCalls:
    """One database. Every method raises `LostRace` or `Expired`, or the errors of `firestore_errors.translated`."""

    def __init__(self, database: str, connect: Callable[[], FirestoreClient], timeout_s: float) -> None:
        """Keep the settings; the first request of each process connects.

        Args:
            database: `projects/PROJECT/databases/DATABASE`.
            connect: builds the client.
            timeout_s: how long one request may take; a read may be sent again in that time.

        """
        self.database, self._timeout_s = database, timeout_s
        self._client = PerProcess(connect)
        self._again, self._reconnected = (
            Retry(predicate=passing, initial=0.1, maximum=2.0, multiplier=1.5, timeout=timeout_s)
            for passing in (PASSING, BROKEN)
        )
        self._metadata = (("google-cloud-resource-prefix", database),)

    def read(self, kind: type[R], keys: Iterable[str]) -> dict[str, R]:
        """Return the newest committed records that exist, by key."""
        return self.decoded(kind, self._batch_get(kind, tuple(keys), {}, retry=self._again))

    def read_locked(self, kind: type[R], keys: Iterable[str], transaction: bytes) -> dict[str, R]:
        """Return the records that exist, by key, as the transaction sees them."""
        return self.decoded(kind, self._batch_get(kind, tuple(keys), {"transaction": transaction}, retry=None))

    def begin_reading(self, kind: type[R], keys: Iterable[str]) -> tuple[bytes, list[Document]]:
        """Begin a transaction with its first read, which saves a request.

        Args:
            keys: at least one.

        Returns:
            The id, and what `decoded` makes records of: also where one cannot be read, the locks can be given back.

        """
        new: Mapping[str, Any] = {"new_transaction": {"read_write": {}}}
        answers = self._answers(kind, tuple(keys), new, retry=self._reconnected)
        begun = next((answer.transaction for answer in answers if answer.transaction), None)
        if begun is None:
            raise StoreUnavailable(f"Firestore {self.database}: a read began no transaction. Try again later")
        return bytes(begun), _found(answers)

    def begin(self, previous: bytes) -> bytes:
        """Begin a transaction; in the place of one that lost a race, if any."""
        options = {"read_write": {"retry_transaction": previous}}
        with self._translated():
            request = {"database": self.database, "options": options}
            return bytes(self._client.get().begin_transaction(request, **self._how(self._again)).transaction)

    def commit(self, writes: Mapping[tuple[str, str], Write | None], transaction: bytes) -> None:
        """Let all writes take effect together; without a transaction nothing is checked.

        Raises:
            StoreUnavailable: the writes may have taken effect, or may still do so.

        """
        request = {"database": self.database, "writes": list(self._written(writes)), "transaction": transaction}
        with self._translated():
            self._client.get().commit(request, **self._how(None))

    def roll_back(self, transaction: bytes) -> None:
        """Give back the locks now, if Firestore can be reached: they would be held for a minute."""
        request = {"database": self.database, "transaction": transaction}
        with suppress(*FAILURES):
            self._client.get().rollback(request, **self._how(None))

    def query(self, structured_query: Mapping[str, Any]) -> list[Document]:
        """Return the documents that a query finds, in its order."""
        request = {"parent": f"{self.database}/documents", "structured_query": structured_query}
        with self._translated():
            answers = self._client.get().run_query(request, **self._how(self._again))
            return [answer.document for answer in answers if answer.document.name]

    def _batch_get(self, kind: type[R], keys: tuple[str, ...], how: Mapping[str, Any], *, retry: Any) -> list[Document]:
        return _found(self._answers(kind, keys, how, retry=retry)) if keys else []

    def _answers(
        self, kind: type[R], keys: tuple[str, ...], how: Mapping[str, Any], *, retry: Any
    ) -> list[BatchGetDocumentsResponse]:
        names = [document_path(self.database, kind.kind, key) for key in dict.fromkeys(keys)]
        request = {"database": self.database, "documents": names, "mask": {"field_paths": [BODY]}, **how}
        with self._translated():
            return list(self._client.get().batch_get_documents(request, **self._how(retry)))

    def decoded(self, kind: type[R], documents: Iterable[Document]) -> dict[str, R]:
        """Return the records that documents hold, by key."""
        keyed = ((key_in(document.name), document.fields[BODY].string_value) for document in documents)
        return {key: decode(kind, key, body, self._where) for key, body in keyed}

    def decoded_due(self, kind: type[R], documents: Iterable[Document], field: str) -> list[Due[R]]:
        """Return the records that documents hold, or what stands in their place, in this order."""
        rows = (
            DueRow(key_in(each.name), time_in(each.fields[field].string_value), each.fields[BODY].string_value)
            for each in documents
        )
        return [decode_due(kind, row, self._where) for row in rows]

    @property
    def _where(self) -> str:
        return f"Firestore {self.database}"

    def _written(self, writes: Mapping[tuple[str, str], Write | None]) -> Iterator[dict[str, Any]]:
        for (kind, key), write in writes.items():
            name = document_path(self.database, kind, key)
            yield {"delete": name} if write is None else {"update": {"name": name, "fields": _fields(kind, key, write)}}

    def _how(self, retry: Any) -> dict[str, Any]:
        return {"retry": retry, "timeout": self._timeout_s, "metadata": self._metadata}

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except Aborted as error:
            raise LostRace from error
        except InvalidArgument as error:
            raise Expired if is_expiry(error) else translated(error, self.database) from error
        except FAILURES as error:
            raise translated(error, self.database) from error


def _fields(kind: str, key: str, write: Write) -> dict[str, Any]:
    fields: dict[str, Any] = {BODY: {"string_value": write.body}}
    fields |= {name: {"string_value": value} for name, value in indexed(kind, key, write.columns)}
    if write.calendar_keys:
        fields[CALENDARS] = {"array_value": {"values": [{"string_value": named} for named in write.calendar_keys]}}
    return fields | ({EXPIRES_AT: {"timestamp_value": write.expires_at}} if write.expires_at else {})


def _found(answers: Iterable[BatchGetDocumentsResponse]) -> list[Document]:
    return [answer.found for answer in answers if answer.found.name]


def build_client(emulator: str | None = None) -> FirestoreClient:
    """Return a client.

    Args:
        emulator: `HOST:PORT` of Google's emulator, which needs no credentials; None: Google, with the default ones.

    """
    if emulator is None:
        return FirestoreClient(transport=partial(FirestoreGrpcTransport, channel=_channel))
    channel = grpc.insecure_channel(emulator, options=(_ON_THIS_THREAD,))
    return FirestoreClient(transport=FirestoreGrpcTransport(channel=channel))


def _channel(host: str, *, options: Sequence[tuple[str, int]], **how: Any) -> grpc.Channel:
    return FirestoreGrpcTransport.create_channel(host, options=[*options, _ON_THIS_THREAD], **how)

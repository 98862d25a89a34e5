"""The folder of a stack: its data, keys and logs, and the lock that keeps a second stack out.

It must never overwrite a file that it could not read.
"""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from confsync.local.stack_error import StackError

M = TypeVar("M", bound=BaseModel)


class Keys(BaseModel):
    """What the parts of one stack trust each other by."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    channel_token_keys: str
    """In the form of the setting CHANNEL_TOKEN_KEYS."""
    vendor_secret: str
    """`whsec_...`, of the sample vendor."""


def new_keys() -> Keys:
    """Return keys that nobody else has."""
    token_key = base64.b64encode(secrets.token_bytes(32)).decode()
    vendor_secret = base64.b64encode(secrets.token_bytes(32)).decode()
    return Keys(channel_token_keys=f"local:{token_key}", vendor_secret=f"whsec_{vendor_secret}")


@dataclass(frozen=True)
class Folder:
    """A stack's folder, made if there was none."""

    path: Path

    @property
    def logs(self) -> Path:
        """Where each part has its log."""
        return self.path / "logs"

    @property
    def environment(self) -> Path:
        """What a shell reads to have the settings of the functions."""
        return self.path / "environment.sh"

    @property
    def store(self) -> Path:
        """What confsync itself remembers."""
        return self.path / "confsync.db"

    def data_of(self, part: str) -> Path:
        """Return the file in which a server keeps its data."""
        return self.path / f"{part}.db"

    def put_old_logs_aside(self) -> None:
        """Make room for new logs; those of the run before are kept."""
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.1"))

    def keys(self) -> Keys:
        """Return the keys of this folder; make them the first time. Raises StackError for a damaged file."""
        path = self.path / "keys.json"
        keys = read(path, Keys)
        if keys is None:
            keys = new_keys()
            write(path, keys)
        return keys


@contextmanager
def opened(path: Path) -> Iterator[Folder]:
    """Make the folder if there is none, and keep everybody else out while the block runs.

    Raises:
        StackError: it cannot be written, or another stack runs in it.

    """
    folder = Folder(path.absolute())
    try:
        folder.logs.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder.path / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StackError(f"folder {path} cannot be written ({error.strerror}): name another one") from error
    try:
        _take(lock, path)
        yield folder
    finally:
        os.close(lock)


def _take(lock: int, path: Path) -> None:
    """Lock the file for as long as this process has it open, and note who has it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        holder = os.read(lock, 20).decode(errors="replace").strip() or "unknown"
        raise StackError(
            f"a stack runs in {path} already (process {holder}): stop it, or name another folder"
        ) from None
    os.ftruncate(lock, 0)
    os.write(lock, f"{os.getpid()}\n".encode())


def read(path: Path, kind: type[M]) -> M | None:
    """Return what a file holds, None when there is none. Raises StackError for one that cannot be read."""
    try:
        return kind.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StackError(f"{path} cannot be read ({error.strerror})") from error
    except ValidationError as error:
        found = error.errors(include_input=False, include_url=False, include_context=False)[0]
        where = ".".join(map(str, found["loc"]))
        raise StackError(
            f"{path} is damaged ({f'{where}: ' if where else ''}{found['msg']}): "
            "restore it, or begin anew in another folder; nothing was changed"
        ) from None


def write(path: Path, content: BaseModel) -> None:
    """Write a file whole or not at all, readable by its owner only. Raises StackError."""
    write_text(path, json.dumps(content.model_dump(mode="json"), indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all, readable by its owner only. Raises StackError."""
    fresh = path.with_suffix(".new")
    try:
        fresh.touch(mode=0o600)
        fresh.write_text(text)
        fresh.replace(path)
    except OSError as error:
        raise StackError(f"{path} cannot be written ({error.strerror}): name another folder") from error

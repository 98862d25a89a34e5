"""A task queue in a folder, for workers that are processes: a file for each task that was ever created.

It obeys the rules of Cloud Tasks: a name is used once, whatever became of its task. It must never run a task itself:
the test does.
"""

import json
import os
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile

from confsync.core.tasks import Task


class FolderQueue:
    """Tasks as files; safe for many processes, any of which may be killed at any moment."""

    def __init__(self, folder: Path) -> None:
        """Keep the folder, which exists."""
        self._folder = folder

    def create(self, task: Task) -> bool:
        """Keep the task; False when its name was ever used."""
        at = task.schedule_time.isoformat() if task.schedule_time else None
        body = {"name": task.name, "path": task.path, "body": dict(task.body), "at": at}
        with NamedTemporaryFile("w", dir=self._folder, prefix="new-") as file:
            json.dump(body, file)
            file.flush()
            try:
                os.link(file.name, self._folder / f"{task.name}.json")  # all of it or nothing, and only once
            except FileExistsError:
                return False
        return True

    def created(self) -> list[Task]:
        """Return all tasks that were ever created, in the order of their names."""
        return [_task(path) for path in sorted(self._folder.glob("*.json"))]


def _task(path: Path) -> Task:
    kept = json.loads(path.read_text())
    at = datetime.fromisoformat(kept["at"]) if kept["at"] else None
    return Task(kept["name"], kept["path"], kept["body"], at)

"""Google's Firestore emulator, started from its jar: one for all tests of a process, a fresh project for each test."""

import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path

JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
MAIN = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"
JVM = ("-Duser.language=en", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
READY_S = 60.0
HOW_TO_INSTALL = "install java and `gcloud components install cloud-firestore-emulator`, or set FIRESTORE_EMULATOR_JAR"


def missing() -> str:
    """Return what the emulator lacks on this machine; empty when it can be started."""
    if shutil.which("java") is None:
        return f"no java for the Firestore emulator: {HOW_TO_INSTALL}"
    return "" if find_jar() else f"no Firestore emulator: {HOW_TO_INSTALL}"


def find_jar() -> Path | None:
    """Return where the emulator is installed, without the slow `gcloud info`."""
    if named := os.environ.get("FIRESTORE_EMULATOR_JAR"):
        return Path(named) if Path(named).is_file() else None
    gcloud = shutil.which("gcloud")
    jar = Path(gcloud).resolve().parent.parent / JAR if gcloud else None
    return jar if jar is not None and jar.is_file() else None


class Emulator:
    """A running emulator on 127.0.0.1; `stop` ends it."""

    def __init__(self) -> None:
        """Start it and wait until it answers."""
        jar = find_jar()
        assert jar is not None, missing()
        self.host = f"127.0.0.1:{_free_port()}"
        port = self.host.rpartition(":")[2]
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed by `stop`
        command = ["java", *JVM, "-cp", str(jar), MAIN, "--host=127.0.0.1", f"--port={port}"]
        self._process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)
        try:
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the process and wait for it."""
        self._process.terminate()
        self._process.wait(timeout=30)
        self._log.close()

    def new_database(self) -> str:
        """Return the name of an empty database: each project has its own."""
        return f"projects/confsync-{uuid.uuid4().hex[:12]}/databases/(default)"

    def _wait_until_ready(self) -> None:
        give_up_at = time.monotonic() + READY_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > give_up_at:
                self._log.seek(0)
                raise AssertionError(f"the Firestore emulator did not start: {self._log.read().decode()[-2000:]}")
            time.sleep(0.05)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.host}/", timeout=1) as answer:
                return bool(answer.status == 200)
        except (http.client.HTTPException, OSError):  # while it starts it may hang up in the middle of an answer
            return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

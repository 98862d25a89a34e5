"""Build the archives that are deployed: dist/NAME.zip for each function, with the same bytes from the same sources.

An archive holds `main.py` and `requirements.txt` at its root, where Google's builders look for them, and the modules of
confsync that this `main.py` can import, no others. Each function has an archive of its own, so that the public one is
built without Firestore and Calendar, and so that an archive changes (and its function is deployed anew) only when one
of its own files did. Runs on the standard library alone; it must never read anything but the sources.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from modulefinder import ModuleFinder
from pathlib import Path, PurePosixPath
from zipfile import ZIP_STORED, ZipFile, ZipInfo

ROOT = Path(__file__).resolve().parents[1]
FUNCTIONS = ("receive_notification", "sync_calendar", "renew_channels")
NOT_DEPLOYED = ("confsync.cli", "confsync.costs", "confsync.local")
"""The command, with what it reckons, and the local stack: their requirements are not those of a function."""
_FIRST_DAY_OF_ZIP = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
_PLAIN_FILE = 0o100644


class PackageError(Exception):
    """An archive cannot be built; the message says why, and what to do."""


def main(arguments: Sequence[str]) -> int:
    """Build the archives and print name, size and SHA-256 of each; return the exit status."""
    options = _parsed(arguments)
    try:
        for name in options.functions or FUNCTIONS:
            archive = build(name, options.sources, options.out)
            content = archive.read_bytes()
            sys.stdout.write(f"{hashlib.sha256(content).hexdigest()}  {len(content):>8}  {archive}\n")
    except (PackageError, OSError) as error:
        sys.stderr.write(f"package: {error}\n")
        return 1
    return 0


def build(name: str, sources: Path, out: Path) -> Path:
    """Write a function's archive into the folder `out`, whole or not at all, and return where it is.

    Raises:
        PackageError: a source is missing, or the function imports what is not deployed.
        OSError: a file cannot be read or written.

    """
    contents = contents_of(name, sources)
    out.mkdir(parents=True, exist_ok=True)
    archive, fresh = out / f"{name}.zip", out / f"{name}.zip.new"
    with ZipFile(fresh, "w", ZIP_STORED) as file:  # compressed bytes would depend on the version of zlib
        for path in sorted(contents):
            file.writestr(_entry(path), contents[path].read_bytes())
    fresh.replace(archive)
    return archive


def contents_of(name: str, sources: Path) -> Mapping[str, Path]:
    """Return the files of a function's archive: path in the archive, and where it is in the folder of the sources."""
    folder = sources / "functions" / name
    for file in ("main.py", "requirements.txt"):
        if not (folder / file).is_file():
            raise PackageError(f"there is no {folder / file}: run this in a checkout, or name one with --sources")
    modules = {
        PurePosixPath(module.relative_to(sources / "shared")).as_posix(): module
        for module in _imported(folder / "main.py", sources / "shared")
    }
    return {"main.py": folder / "main.py", "requirements.txt": folder / "requirements.txt", **modules}


def _imported(main_file: Path, shared: Path) -> Iterator[Path]:
    """Yield the files of our modules that can be imported from there, also by an import inside a function."""
    finder = ModuleFinder([str(shared)])
    try:
        finder.run_script(str(main_file))
    except SyntaxError as error:
        raise PackageError(f"{error.filename}, line {error.lineno}: {error.msg}") from None
    _refuse(
        main_file,
        "is not there, or is no Python that this interpreter reads",
        (n for n in finder.badmodules if n.partition(".")[0] == "confsync"),
    )
    _refuse(main_file, "is not deployed", (n for n in finder.modules if n.startswith(NOT_DEPLOYED)))
    for name, module in finder.modules.items():
        if name != "__main__" and (file := vars(module)["__file__"]):
            yield Path(file)


def _refuse(main_file: Path, why: str, modules: Iterable[str]) -> None:
    if found := sorted(modules):
        raise PackageError(f"{main_file} imports {found[0]}, maybe through another module; that {why}")


def _entry(path: str) -> ZipInfo:
    """Return an entry without anything of the machine and the time."""
    entry = ZipInfo(path, _FIRST_DAY_OF_ZIP)
    entry.create_system = _UNIX
    entry.external_attr = _PLAIN_FILE << 16
    return entry


def _parsed(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python functions/package.py",
        description="Build dist/NAME.zip for each function, and print SHA-256, size in bytes and path of each.",
    )
    parser.add_argument("functions", nargs="*", metavar="NAME", help=f"of {', '.join(FUNCTIONS)} (default: all)")
    parser.add_argument("--out", type=Path, default=ROOT / "dist", help="folder for the archives (default: dist/)")
    parser.add_argument("--sources", type=Path, default=ROOT, help="checkout to build from (default: this one)")
    options = parser.parse_args(arguments)
    if unknown := set(options.functions).difference(FUNCTIONS):
        parser.error(f"there is no function {min(unknown)}; those that are: {', '.join(FUNCTIONS)}")
    return options


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

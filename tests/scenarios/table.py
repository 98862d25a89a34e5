"""The table of Calendar changes in docs/scenarios.md: what people do, what confsync does, and the tests that show it.

    python -m tests.scenarios.table

The tests are found by reading their files, never by running or importing them.
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent.parent / "docs" / "scenarios.md"

ROWS: Mapping[int, tuple[str, str]] = {
    1: ("Somebody makes an event with our conference", "Tells the conference its event's title and times, once"),
    2: ("Somebody chooses our conference and discards the draft", "Ends it when its event has not come for a day"),
    3: ("A program asks Calendar for a conference, which takes a while", "Waits; absence means nothing meanwhile"),
    4: ("The title changes", "One update"),
    5: ("The event is dragged to another time", "One update with start and end"),
    6: ("Only the time zone changes", "An update for a series or a back end that keeps zones, else nothing"),
    7: ("Description, place, colour or attachments change", "An update where the back end can carry it, else nothing"),
    8: ("Guests come and go", "An update where the back end has guests; never an end"),
    9: ("Guests answer", "Nothing"),
    10: ("Somebody sets a reminder or a colour for themselves", "Nothing"),
    11: ("The event becomes private or public", "An update where the back end can carry it, else nothing"),
    12: ("The organizer deletes the event", "Ends the conference after the grace period and a last look; remembers it"),
    13: ("A guest declines", "Nothing"),
    14: ("The organizer declines the own event", "Nothing"),
    15: ("A guest removes the own copy", "Nothing"),
    16: ("The organizer takes a guest off the list", "An update where the back end has guests; never an end"),
    17: ("A guest without the right to edit moves the own copy", "Nothing"),
    18: ("A guest with the right to edit changes the event", "One update"),
    19: ("The event moves to another calendar", "The conference goes along; out of sight, it is kept"),
    20: ("The event gets another owner", "The conference goes along; with an owner out of sight, it is kept"),
    21: ("Somebody makes a series", "One conference for all instances"),
    22: ("One instance is moved or renamed", "An update where instances can be told apart, else nothing"),
    23: ("One instance is cancelled", "An update where instances can be told apart; never an end"),
    24: ("One instance loses the conference or gets another", "Nothing for the conference of the series"),
    25: ("All events of a series change", "One update, its exceptions with it"),
    26: ("This and following events change", "One conference for both parts; it follows the part that comes next"),
    27: ("This and following events are deleted", "One update with the shorter rule"),
    28: ("The whole series is deleted", "Ends the conference once"),
    29: ("A guest is invited to some instances only", "Nothing"),
    30: ("The conference is removed from its event", "Ends it after the grace period, if no other event holds it"),
    31: ("The event switches to Meet", "As if the conference was removed"),
    32: ("The conference is removed and ours is added again", "Ends the old one, keeps the new one"),
    33: ("The event is duplicated", "Both share the conference, or the copy gets its own, as configured"),
    34: ("A mirroring tool copies the event to another calendar", "Ignores the copy's edits and deletion"),
    35: (
        "A deleted event is taken out of the trash",
        "Restores the conference, or makes one and puts it into the event",
    ),
    36: ("The calendar shows a private event with too little access", "Nothing"),
    37: ("Access to the calendar is reduced", "Freezes the calendar and says so once; ends nothing"),
    38: ("A timed event becomes all-day", "One update with days instead of times"),
    39: ("The event is very long, has no length or no end", "Tells the nearest length that the back end takes, once"),
    40: (
        "An event is imported, or a private copy of another system's",
        "Nothing, unless we made the conference for it",
    ),
    41: ("Focus time, absence, working place, birthday, booking from a mail", "Nothing"),
    42: ("An event that is over is edited or deleted", "Records it; no call, no end"),
    43: ("A series has no end", "Tells the rule as it is; it is never over"),
    44: ("Calendar forgot the sync token, with deletions in the gap", "Lists everything and looks at what is missing"),
    45: ("Something changes while a listing is under way", "Finds it with the next listing"),
    46: ("The calendar is deleted", "Freezes it and says so once; ends nothing"),
    47: ("Everything is deleted at once", "Holds the ends until an operator decides"),
    48: ("Access is withdrawn", "Freezes the calendar and says so once; ends nothing"),
    49: (
        "The user is suspended, or leaves and hands the events over",
        "Freezes; the conference goes along to the heir",
    ),
    50: ("Two calendars that are synced show the same event", "Only the organizer's copy counts"),
    51: ("Calendar announces a write of our own", "Nothing"),
    52: ("Notifications are lost, doubled or out of order", "Nothing is lost and nothing is done twice"),
    53: ("Two changes within a moment", "One call with the last state, or none"),
    54: ("Somebody writes the id of a stranger's conference into an event", "Ignores it and notes it once"),
    55: ("The host changes or deletes the conference in the back end", "The calendar wins with its next change"),
    56: ("The back end does not know the conference any more", "Makes another where it can, else tells an operator"),
    57: ("A call ends without an answer", "Treats it as unknown, waits, tells the newest state under a new number"),
    58: ("The back end refuses for good", "Records a failure that an operator sees; the link stays"),
    59: ("Clocks change", "Nothing"),
    60: ("The vendor renames its solution, or has two", "Recognises each by its settings and keeps them apart"),
}
"""What people do and what confsync does, by row."""

HEAD = """# What people do in Calendar, and what confsync does

Each row is one kind of change, with the tests that play it against the local Calendar server and see what the
conferencing system was told, what it was not told, and what is recorded. Where nobody outside Google knows how Calendar
behaves, a test plays every variant. This page is written by `python -m tests.scenarios.table`; a test compares.

| | People | confsync | Shown by |
|--:|---|---|---|
"""


@dataclass(frozen=True)
class Scenario:
    """One test that shows rows of the table."""

    file: str
    name: str
    rows: tuple[int, ...]
    is_met: bool
    """Whether it is expected to pass, in every variant."""


def scenarios(folder: Path = FOLDER) -> list[Scenario]:
    """Return the tests that are marked with rows, in the order of their files."""
    modules = {path.name: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.py"))}
    gaps = {name for module in modules.values() for name in _names_of_gaps(module)}
    tests = ((file, module) for file, module in modules.items() if file.startswith("test_"))
    return [found for file, module in tests for found in _scenarios_in(file, module, gaps)]


def _names_of_gaps(module: ast.Module) -> Iterator[str]:
    """Marks that several tests share have a name: `NOT_YET = pytest.mark.xfail(...)`."""
    for node in module.body:
        if isinstance(node, ast.Assign) and "pytest.mark.xfail" in ast.unparse(node.value):
            yield from (target.id for target in node.targets if isinstance(target, ast.Name))


def _scenarios_in(file: str, module: ast.Module, gaps: set[str]) -> Iterator[Scenario]:
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            rows = tuple(row for mark in node.decorator_list for row in _rows_of(mark))
            is_met = not any(_tells_of_a_gap(mark, gaps) for mark in node.decorator_list)
            if rows:
                yield Scenario(file, node.name, rows, is_met)


def _tells_of_a_gap(mark: ast.expr, gaps: set[str]) -> bool:
    names = {part.id for part in ast.walk(mark) if isinstance(part, ast.Name)}
    return "pytest.mark.xfail" in ast.unparse(mark) or bool(names & gaps)


def _rows_of(mark: ast.expr) -> list[int]:
    if not isinstance(mark, ast.Call) or ast.unparse(mark.func) != "pytest.mark.scenario":
        return []
    return [int(ast.literal_eval(argument)) for argument in mark.args]


def page(found: list[Scenario]) -> str:
    """Return docs/scenarios.md."""
    return HEAD + "".join(_line(row, found) for row in sorted(ROWS))


def _line(row: int, found: list[Scenario]) -> str:
    people, confsync = ROWS[row]
    shown = [_sentence(scenario) for scenario in found if row in scenario.rows]
    return f"| {row} | {people} | {confsync} | {'<br>'.join(shown)} |\n"


def _sentence(scenario: Scenario) -> str:
    words = scenario.name.removeprefix("test_").replace("_", " ")
    gap = "" if scenario.is_met else " **(not yet)**"
    return f"[{words}](../tests/scenarios/{scenario.file}){gap}"


if __name__ == "__main__":
    PAGE.write_text(page(scenarios()), encoding="utf-8")

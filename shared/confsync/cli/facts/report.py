"""The answers as they are written to the file: every question, answered or not. No I/O.

It must never hold a value of a payload; evidence passes `redaction.scrub` on its way in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from confsync.cli.facts.questions import BY_ID, QUESTIONS, Answer, Question, Source, Switch
from confsync.cli.facts.redaction import scrub

SCHEMA: Final = "confsync-facts/1"


@dataclass(frozen=True)
class Finding:
    """What one look or trial says about one question."""

    question: str
    answer: Answer
    source: Source
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """Counts, truths, shapes, words of the fixed lists."""
    value: object = None
    """Of the switch, where the answer alone does not tell it."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class SwitchFact(_Part):
    """The matching option of the local Calendar server."""

    name: str
    value: Any
    """What the account shows; null when that is not settled or no value fits."""
    default: Any
    """What the local server does unless told otherwise."""
    agrees: bool | None
    """Whether the two are the same; null when not settled or when the server has no such option."""


class Fact(_Part):
    """One question with its answer."""

    id: str
    rows: tuple[int, ...]
    question: str
    answer: Answer
    settled_by: Source | None
    settled_at: datetime | None
    could_be_settled_by: tuple[Source, ...]
    evidence: dict[str, Any]
    switch: SwitchFact | None


class Report(_Part):
    """The whole file."""

    schema_name: Literal["confsync-facts/1"] = Field(SCHEMA, serialization_alias="schema")
    version: str
    """Of confsync."""
    made_at: datetime
    mode: Literal["look", "experiment"]
    sign_in: str
    complete: bool
    """False when the run did not come to a good end."""
    facts: tuple[Fact, ...]


class Book:
    """Collects findings; a later answer replaces an earlier one, but no answer never replaces one."""

    def __init__(self) -> None:
        """Begin with no answers."""
        self._found: dict[str, tuple[Finding, datetime]] = {}

    def enter(self, findings: Iterable[Finding]) -> None:
        """Take note of findings as they come."""
        for finding in findings:
            known = self._found.get(finding.question)
            if known is None or finding.answer != "not settled" or known[0].answer == "not settled":
                self._found[finding.question] = finding, datetime.now(UTC).replace(microsecond=0)

    def facts(self) -> tuple[Fact, ...]:
        """Return all questions in their order, also those without an answer."""
        return tuple(self._fact(question) for question in QUESTIONS)

    def _fact(self, question: Question) -> Fact:
        finding, moment = self._found.get(question.id, (None, None))
        settled = finding is not None and finding.answer != "not settled"
        return Fact(
            id=question.id,
            rows=question.rows,
            question=question.text,
            answer=finding.answer if finding else "not settled",
            settled_by=finding.source if finding and settled else None,
            settled_at=moment if settled else None,
            could_be_settled_by=question.settled_by,
            evidence=scrub(finding.evidence) if finding else {},
            switch=_switch_fact(question.switch, finding) if question.switch else None,
        )


def _switch_fact(switch: Switch, finding: Finding | None) -> SwitchFact:
    value = None
    if finding is not None:
        value = finding.value if finding.value is not None else switch.values.get(finding.answer)
    known = value is not None and switch.default is not None
    return SwitchFact(
        name=switch.name, value=value, default=switch.default, agrees=value == switch.default if known else None
    )


def not_settled(question: str, source: Source, **evidence: Any) -> Finding:
    """Return the finding that a trial says nothing, with the reason why.

    Raises:
        KeyError: there is no such question.

    """
    return Finding(BY_ID[question].id, "not settled", source, evidence)


def yes_or_no(question: str, source: Source, truth: bool, **evidence: Any) -> Finding:
    """Return a plain answer.

    Raises:
        KeyError: there is no such question.

    """
    return Finding(BY_ID[question].id, "yes" if truth else "no", source, evidence)

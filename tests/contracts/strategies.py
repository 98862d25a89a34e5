"""Hypothesis strategies for every record, built from the fields themselves, so that a new field is covered at once.

They must never produce what no store has to carry: lone surrogates, times without a zone, integers beyond 64 bits.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel

from confsync.adapters.stored import RECORDS
from confsync.core.records import Record
from confsync.core.state import Moment

M = TypeVar("M", bound=BaseModel)

keys = st.text("0123456789abcdef", min_size=32, max_size=32)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
instants = st.datetimes(timezones=st.just(UTC))
moments = st.builds(Moment, instant=instants) | st.builds(Moment, day=st.dates())

_PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: texts,
    int: st.integers(-(2**63), 2**63 - 1),
    bool: st.booleans(),
    datetime: instants,
    date: st.dates(),
    NoneType: st.none(),
    Moment: moments,
}


def values(model: type[M], **given: st.SearchStrategy[Any]) -> st.SearchStrategy[M]:
    """Return a strategy for `model` that fills every field; `given` replaces the strategies of some."""
    fields = {name: _annotated(field.annotation) for name, field in model.model_fields.items()}
    return st.builds(model, **{**fields, **given})


def _annotated(annotation: Any) -> st.SearchStrategy[Any]:
    if annotation in _PLAIN:
        return _PLAIN[annotation]
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is not None:
        return _GENERIC[origin](*arguments)
    if issubclass(annotation, BaseModel):
        return values(annotation)
    raise TypeError(f"no strategy for {annotation}: add one to {__name__}")


def _tuple(item: Any, *_: Any) -> st.SearchStrategy[Any]:
    return st.lists(_annotated(item), max_size=2).map(tuple)


def _dict(key: Any, value: Any) -> st.SearchStrategy[Any]:
    return st.dictionaries(_annotated(key), _annotated(value), max_size=2)


def _union(*arguments: Any) -> st.SearchStrategy[Any]:
    return st.one_of(*(_annotated(argument) for argument in arguments))


_GENERIC: dict[Any, Callable[..., st.SearchStrategy[Any]]] = {
    tuple: _tuple,
    dict: _dict,
    Literal: lambda *words: st.sampled_from(words),
    Union: _union,
    UnionType: _union,
}

records: st.SearchStrategy[Record] = st.one_of(*(values(kind, key=keys) for kind in RECORDS))
"""Any record of any kind."""

"""The report for other programs: everything as JSON, the numbers as one tidy CSV table."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
from collections.abc import Iterator
from datetime import date
from enum import Enum

from treatment_agent.domain.books import ModelTally
from treatment_agent.domain.measures import Comparison, DeskTime, Funnel, Measures
from treatment_agent.domain.review import Objection, Review
from treatment_agent.domain.shares import Difference, Share
from treatment_agent.domain.survival import Survival

_COLUMNS = ("section", "group", "measure", "count", "of", "value", "low", "high", "unit")
_Row = tuple[object, ...]


def as_json(measures: Measures, review: Review, model: ModelTally, *, words: bool) -> str:
    """Measures, review, and what a model took. Rates carry counts and interval; `words` adds what patients wrote."""
    if not words:
        review = dataclasses.replace(review, objections=tuple(_wordless(o) for o in review.objections))
    told = {"measures": _plain(measures), "review": _plain(review), "model": dataclasses.asdict(model)}
    return json.dumps(told, indent=2, ensure_ascii=False)


def _wordless(objection: Objection) -> Objection:
    return dataclasses.replace(objection, words=())


def _plain(value: object) -> object:
    """JSON's own types; what is derived stands beside what it is derived from."""
    match value:
        case Share():
            low, high = value.interval
            return {"count": value.hits, "of": value.total, "share": value.value, "low": low, "high": high}
        case Difference():
            low, high = value.interval
            return {"difference": value.value, "low": low, "high": high}
        case Survival():
            low_time, high_time = value.interval
            return {
                "happened": value.happened,
                "waiting": value.waiting,
                "median": value.median,
                "low": low_time,
                "high": high_time,
                "steps": [[step.time, round(step.waiting, 4)] for step in value.steps],
            }
        case date():
            return value.isoformat()
        case Enum():
            return value.value
        case dict():
            return {str(key): _plain(item) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        plain = {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
        return plain | ({"lift": _plain(value.lift)} if isinstance(value, Comparison) else {})
    return value


def as_csv(measures: Measures, review: Review) -> str:
    """One line per number: section, group, measure, count, of, value, low, high, unit. No word of a patient."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in _rows(measures, review):
        writer.writerow(["" if cell is None else cell for cell in row])
    return out.getvalue()


def _rows(measures: Measures, review: Review) -> Iterator[_Row]:
    yield from _funnel("all", "", measures.funnel)
    for section, cohorts in (("week", measures.by_week), ("month", measures.by_month)):
        for cohort in cohorts:
            yield from _funnel(section, cohort.starts_on.isoformat(), cohort.funnel)
    for section, groups in (("provider", measures.by_provider), ("family", measures.by_family)):
        for group in groups:
            yield from _funnel(section, group.code, group.funnel)
    yield from _texts_and_staff(measures)
    yield from _counts(measures)
    yield from _comparison(measures.comparison)
    for fault in review.faults:
        yield "fault", fault.id, fault.detail, fault.times, None, fault.patients, None, None, "patients"


def _texts_and_staff(measures: Measures) -> Iterator[_Row]:
    for path in measures.paths:
        name = f"step-{path.step}/{path.script_id}/{path.channel}"
        yield "path", name, "sent", path.sent, None, path.sent, None, None, "texts"
        yield _share("path", name, "answered", path.answered)
        yield _share("path", name, "booked", path.booked)
    for desk in measures.handoffs:
        yield from _desk("handoff", desk)
    for desk in measures.tasks:
        yield from _desk("task", desk)
    yield "all", "", "staff_items", measures.staff_items, None, measures.staff_items, None, None, "handoffs and tasks"
    yield _times("all", "", "days_from_diagnosis_to_scheduled", measures.days_to_scheduled, "days")
    yield _times("all", "", "days_from_first_text_to_booked", measures.days_to_booked, "days")


def _counts(measures: Measures) -> Iterator[_Row]:
    for section, counts in (
        ("reason", measures.reasons),
        ("declined_by_reason", measures.declined_by_reason),
        ("phase", measures.phases),
        ("left_out", measures.left_out),
    ):
        for code, count in counts.items():
            yield section, code, "cases", count, None, count, None, None, "cases"


def _comparison(comparison: Comparison | None) -> Iterator[_Row]:
    if comparison is None:
        return
    yield _share("hold_out", "written", "booked", comparison.written)
    yield _share("hold_out", "held_out", "booked", comparison.held_out)
    low, high = comparison.lift.interval
    yield "hold_out", "lift", "booked", None, None, f"{comparison.lift.value:.4f}", f"{low:.4f}", f"{high:.4f}", "share"


def _funnel(section: str, group: str, funnel: Funnel) -> Iterator[_Row]:
    yield section, group, "entered", funnel.entered, None, funnel.entered, None, None, "cases"
    for field in dataclasses.fields(funnel):
        value = getattr(funnel, field.name)
        if isinstance(value, Share):
            yield _share(section, group, field.name, value)
    for name in ("entered", "booked", "kept"):
        cents = getattr(funnel, f"value_{name}_cents")
        yield section, group, f"value_{name}", None, None, f"{cents / 100:.2f}", None, None, "dollars"


def _desk(section: str, desk: DeskTime) -> Iterator[_Row]:
    yield section, desk.topic, "given", desk.count, None, desk.count, None, None, section + "s"
    yield section, desk.topic, "open", desk.open, None, desk.open, None, None, section + "s"
    yield _share(section, desk.topic, "cases", desk.cases)
    yield _share(section, desk.topic, "on_time", desk.on_time)
    yield _times(section, desk.topic, "to_acknowledge", desk.to_acknowledge, "hours")
    yield _times(section, desk.topic, "to_close", desk.to_close, "hours")


def _share(section: str, group: str, measure: str, share: Share) -> _Row:
    low, high = share.interval
    value = f"{share.value:.4f}" if share.total else None
    return section, group, measure, share.hits, share.total, value, f"{low:.4f}", f"{high:.4f}", "share"


def _times(section: str, group: str, measure: str, times: Survival, unit: str) -> _Row:
    low, high = times.interval
    return section, group, f"median_{measure}", times.happened, times.total, times.median, low, high, unit

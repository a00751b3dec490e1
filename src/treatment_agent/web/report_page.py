"""The report as one HTML page: no script, no network, drawings in the page itself."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from treatment_agent.domain.books import ModelTally
from treatment_agent.domain.measures import Funnel, Group, Measures
from treatment_agent.domain.review import Review
from treatment_agent.policies.office import OfficeProfile
from treatment_agent.web import charts, labels, report_charts, telling, times
from treatment_agent.web.view import Count

_FEW = 30
_FAMILIES = {"inlay_onlay": "Inlay or onlay"}

_NO_MODEL = ModelTally()


def render(
    measures: Measures,
    review: Review,
    office: OfficeProfile,
    *,
    sample: bool = False,
    notes: tuple[str, ...] = (),
    model: ModelTally = _NO_MODEL,
) -> str:  # fmt: skip
    """The page. Everything that came from a person or a file is escaped.

    Args:
        measures: What is told.
        review: Objections with the patients' own words, and faults; the page is for the office's own eyes.
        office: Its name, zone and providers' names.
        sample: True for invented people, so that the page says so.
        notes: Remarks for the foot of the page.
        model: What a language model added and took, if one was asked.
    """
    environment = Environment(
        loader=PackageLoader("treatment_agent.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(moment=times.moment, day=times.day, money=telling.money, percent=telling.percent)
    environment.filters.update(span=telling.span, hours=telling.hours, words=labels.words, reason=labels.reason)
    environment.filters.update(script=labels.script)
    return environment.get_template("report.html.j2").render(
        m=measures,
        model=model,
        model_lines=telling.model_lines(model),
        funnel=measures.funnel,
        review=review,
        office=office,
        sample=sample,
        notes=notes,
        lead=lead(measures.funnel),
        few=0 < measures.funnel.entered < _FEW,
        starts=_local(measures.since, office),
        ends=_local(measures.at, office),
        review_starts=review.since.astimezone(office.tz),
        review_ends=review.until.astimezone(office.tz),
        asked=charts.bars(tuple(Count(a.when.capitalize(), a.times, _unmet(a.unmet)) for a in review.asked_times)),
        open_count=sum(desk.open for desk in (*measures.handoffs, *measures.tasks)),
        **_drawn(measures, {provider.id: provider.name for provider in office.providers}),
    )


def _drawn(measures: Measures, providers: dict[str, str]) -> dict[str, object]:
    """What the charts are made of."""
    return {
        "weeks": report_charts.columns(measures.by_week, monthly=False),
        "months": report_charts.columns(measures.by_month, monthly=True),
        "curve": report_charts.curve(measures.days_to_scheduled),
        "median_days": telling.median_days(measures.days_to_scheduled),
        "providers": _named(measures.by_provider, providers),
        "families": _named(measures.by_family, _FAMILIES),
        "whisker": report_charts.whisker,
        "scale_of": report_charts.scale_of,
        "reasons": charts.bars(labels.counted(measures.reasons, labels.reason)),
        "declined": charts.bars(labels.counted(measures.declined_by_reason, labels.reason)),
        "left_out": charts.bars(labels.counted(measures.left_out, labels.left_out)),
    }


def lead(funnel: Funnel) -> str:
    """The one sentence to take away."""
    if not funnel.entered:
        return "Nobody is being followed up yet."
    if not funnel.contacted.hits:
        return f"{_people(funnel.entered)} on the list, and nobody has been written to yet."
    if not funnel.booked.hits:
        reached, answered = funnel.contacted.hits, funnel.responded.hits
        return f"We wrote to {_people(reached)}; {answered} answered, and nobody has booked yet."
    return (
        f"{funnel.booked.hits} of {_people(funnel.entered)} booked: "
        f"{telling.money(funnel.value_booked_cents)} of treatment is on the calendar."
    )


def _people(count: int) -> str:
    return "1 patient" if count == 1 else f"{count} patients"


def _unmet(times: int) -> str:
    return f"{times} without a fitting opening" if times else ""


def _local(at: datetime | None, office: OfficeProfile) -> datetime | None:
    return None if at is None else at.astimezone(office.tz)


def _named(groups: Iterable[Group], names: dict[str, str]) -> tuple[tuple[str, Funnel], ...]:
    return tuple((names.get(g.code) or labels.words(g.code).capitalize() or "Nobody named", g.funnel) for g in groups)

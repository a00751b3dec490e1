"""The report on the terminal: small tables, each rate with its counts and the range in which the true one lies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from zoneinfo import ZoneInfo

from treatment_agent.cli import screen
from treatment_agent.cli.books import show_model
from treatment_agent.domain.books import ModelTally
from treatment_agent.domain.measures import Comparison, DeskTime, Funnel, Measures
from treatment_agent.domain.review import Review
from treatment_agent.domain.shares import Share
from treatment_agent.domain.survival import Survival
from treatment_agent.web import labels, times
from treatment_agent.web.telling import hours, median_days, percent, span

_FEW = 30


def show(
    measures: Measures,
    review: Review,
    providers: Mapping[str, str],
    zone: ZoneInfo,
    model: ModelTally,
    *,
    minutes_each: float,
) -> None:
    """Everything, from the funnel to what to mend; `minutes_each` is what a handoff or task takes somebody."""
    _show_funnel(measures)
    _show_staff_time(measures, minutes_each)
    if not measures.funnel.entered and not measures.cases_held_out:
        screen.out().print("Nobody has entered yet: treatment-agent enroll FILE puts a list on the books.")
    _show_groups(measures, providers)
    _show_paths(measures)
    _show_staff("Given to a person, by topic", measures.handoffs)
    _show_staff("Tasks for staff", measures.tasks)
    _show_counts("Why not yet", measures.reasons, labels.reason)
    _show_counts("Declined by reason", measures.declined_by_reason, labels.reason)
    show_comparison(measures.comparison, measures.cases_held_out)
    show_model(model)
    _show_counts("Left out", measures.left_out, labels.left_out)
    _show_review(review, zone)


def _show_funnel(measures: Measures) -> None:
    funnel = measures.funnel
    rows = screen.table("", "cases", "of", "rate", "range", right=("cases", "of", "rate"))
    rows.add_row("entered", str(funnel.entered), "", "", "")
    for name, share in (
        ("contacted", funnel.contacted),
        ("answered", funnel.responded),
        ("booked", funnel.booked),
        ("  of those contacted", funnel.booked_of_contacted),
        ("given to a person", funnel.handed_off),
        ("declined", funnel.declined),
        ("opted out", funnel.opted_out),
        ("complained", funnel.complained),
        ("wrongly contacted", funnel.false_contacts),
        ("booked or done elsewhere", funnel.elsewhere),
    ):
        rows.add_row(name, str(share.hits), str(share.total), percent(share), span(share))
    screen.heading("From the list to the chair")
    screen.show(rows)
    console = screen.out()
    console.print(
        f"Booked {screen.dollars(funnel.value_booked_cents)} of {screen.dollars(funnel.value_entered_cents)}, "
        f"{screen.dollars(funnel.value_kept_cents)} of it completed."
        + (f" Staff made {measures.booked_by_staff} of the bookings." if measures.booked_by_staff else "")
    )
    if measures.days_to_scheduled.total:
        console.print(f"From diagnosis to scheduled: {median_days(measures.days_to_scheduled)}.")
    if 0 < funnel.entered < _FEW:
        console.print("These are few cases: read the ranges, not the single numbers.", style="yellow")


def _show_staff_time(measures: Measures, minutes_each: float) -> None:
    per_booking = measures.staff_minutes_per_booking(minutes_each)
    if per_booking is not None:
        screen.out().print(
            f"Staff got {measures.staff_items} handoffs and tasks: at {minutes_each:g} minutes each, "
            f"{per_booking:.1f} minutes per booking (--staff-minutes)."
        )


def _show_groups(measures: Measures, providers: Mapping[str, str]) -> None:
    weeks = [(f"week of {_date(c.starts_on)}", c.funnel, c.is_running) for c in measures.by_week[-12:]]
    months = [(f"{c.starts_on:%B %Y}", c.funnel, c.is_running) for c in measures.by_month[-12:]]
    _show_group("By week of entry", weeks)
    if len(months) > 1:
        _show_group("By month of entry", months)
    named = [(providers.get(g.code, g.code or "nobody named"), g.funnel, False) for g in measures.by_provider]
    _show_group("By provider", named)
    _show_group("By kind of treatment", [(labels.words(g.code), g.funnel, False) for g in measures.by_family])


def _date(day: date) -> str:
    return f"{day:%b} {day.day}"


def _show_group(title: str, groups: Iterable[tuple[str, Funnel, bool]]) -> None:
    right = ("entered", "contacted", "answered", "booked", "rate", "value booked", "kept")
    rows = screen.table("", *right[:5], "range", *right[5:], "", right=right)
    for name, funnel, running in groups:
        counts = (funnel.entered, funnel.contacted.hits, funnel.responded.hits, funnel.booked.hits)
        money = (screen.dollars(funnel.value_booked_cents), screen.dollars(funnel.value_kept_cents))
        booked = (percent(funnel.booked), span(funnel.booked))
        rows.add_row(name, *map(str, counts), *booked, *money, "still running" if running else "")
    if rows.row_count:
        screen.heading(title)
        screen.show(rows)


def _show_paths(measures: Measures) -> None:
    rows = screen.table(
        "text", "by", "sent", "answered", "range", "booked", "range ", right=("sent", "answered", "booked")
    )
    for path in measures.paths:
        name = f"{path.step + 1}. {path.script_id}"
        rows.add_row(name, path.channel, str(path.sent), *_both(path.answered), *_both(path.booked))
    if rows.row_count:
        screen.heading("What each text led to")
        screen.show(rows)


def _both(share: Share) -> tuple[str, str]:
    return f"{share.hits} ({percent(share)})", span(share)


def _show_staff(title: str, desks: Iterable[DeskTime]) -> None:
    right = ("given", "open", "half seen within", "half closed within", "on time")
    rows = screen.table("", *right, "range", right=right)
    for desk in desks:
        rows.add_row(
            labels.words(desk.topic),
            str(desk.count),
            str(desk.open),
            _half(desk.to_acknowledge),
            _half(desk.to_close),
            percent(desk.on_time),
            span(desk.on_time),
        )
    if rows.row_count:
        screen.heading(title)
        screen.show(rows)


def _half(survival: Survival) -> str:
    return hours(survival.median) if survival.median is not None else "not yet"


def _show_counts(title: str, counts: Mapping[str, int], label: Callable[[str], str]) -> None:
    if not counts:
        return
    rows = screen.table("", "cases", right=("cases",))
    for bar in labels.counted(counts, label):
        rows.add_row(bar.label, str(bar.count))
    screen.heading(title)
    screen.show(rows)


def show_comparison(comparison: Comparison | None, held_out: int) -> None:
    """The hold-out: both groups, and the lift as surely as it is known."""
    if comparison is None:
        return
    screen.heading(f"What writing adds: booked within {comparison.within_days} days of entry")
    console = screen.out()
    if comparison.first_on is not None:
        console.print(f"{held_out} cases are held out; the first can be compared on {_date(comparison.first_on)}.")
        return
    rows = screen.table("", "booked", "of", "rate", "range", right=("booked", "of", "rate"))
    for name, share in (("written to", comparison.written), ("held out", comparison.held_out)):
        rows.add_row(name, str(share.hits), str(share.total), percent(share), span(share))
    screen.show(rows)
    low, high = comparison.lift.interval
    sure = "" if comparison.is_clear else "; too few cases to be sure that it is not chance"
    console.print(
        f"Lift {100 * comparison.lift.value:+.0f} in 100 cases (from {100 * low:+.0f} to {100 * high:+.0f}){sure}."
    )
    console.print(f"{comparison.maturing} are too young to compare, {comparison.released} were written to after all.")


def _show_review(review: Review, zone: ZoneInfo) -> None:
    start, end = review.since.astimezone(zone), review.until.astimezone(zone)
    console = screen.out()
    screen.heading(f"Review, {times.day(start)} to {times.day(end)}: {review.messages} texts from patients")
    for objection in review.objections:
        people = "1 patient" if objection.patients == 1 else f"{objection.patients} patients"
        console.print(f"  {labels.reason(objection.code)}: {people}", style="bold" if objection.repeats else "")
        for said in objection.words:
            console.print(f"      “{said}”")
    for asked in review.asked_times:
        unmet = f", {asked.unmet} times without a fitting opening" if asked.unmet else ""
        console.print(f"  asked for {asked.when}: {asked.times}{unmet}")
    if review.faults:
        screen.heading("To mend")
        rows = screen.table("patients", "what", "what helps", right=("patients",))
        for fault in review.faults:
            detail = f": {labels.words(fault.detail)}" if fault.detail else ""
            rows.add_row(str(fault.patients), f"{fault.what}{detail}", fault.fix)
        screen.show(rows)

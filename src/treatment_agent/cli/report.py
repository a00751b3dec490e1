"""`report`: the measures and the weekly review, on the terminal, as JSON, as CSV, and as a page; `hold-out`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from treatment_agent.cli import screen
from treatment_agent.cli.options import DEMO_FOLDER, AppOption, FolderOption, JsonOption, NowOption, opened
from treatment_agent.errors import ConfigurationError

if TYPE_CHECKING:
    from treatment_agent.coordinator import Coordinator
    from treatment_agent.domain.books import ModelTally
    from treatment_agent.domain.measures import Measures
    from treatment_agent.domain.review import Review


def register(app: typer.Typer) -> None:
    """Add `report` and `hold-out` to the application."""
    app.command()(report)
    app.command(name="hold-out")(hold_out)


ReviewDays = Annotated[
    int, typer.Option("--review-days", min=1, help="How many days back the review of objections and faults goes.")
]
StaffMinutes = Annotated[
    float, typer.Option("--staff-minutes", min=0, help="What a handoff or task takes somebody, as you see it.")
]


def report(
    since: Annotated[str | None, typer.Option("--since", help="First day of entry, YYYY-MM-DD.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Last day of entry, YYYY-MM-DD.")] = None,
    review_days: ReviewDays = 7,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write the report as a page with charts.")
    ] = None,
    conversations: Annotated[
        Path | None, typer.Option("--conversations", metavar="FILE", help="Write a page with every conversation.")
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", metavar="FILE", help="Write the numbers as a table.")] = None,
    as_json: JsonOption = False,
    staff_minutes: StaffMinutes = 5,
    words: Annotated[bool, typer.Option("--words", help="With --json: also what patients wrote.")] = False,
    app: AppOption = None,
    folder: FolderOption = DEMO_FOLDER,
) -> None:
    """Who entered, was contacted, answered and booked; what worked; times, money, and what to mend.

    Every rate comes with its counts and the range in which the true one lies (95 %). Patients' words appear on the
    screen and on the page only, for the office's own eyes.
    """
    with opened(app, folder) as coordinator:
        zone = coordinator.policy.office.tz
        first, last = _day(since, zone, "--since"), _day(until, zone, "--until")
        end = last + timedelta(days=1) if last else None
        measures = coordinator.measure(since=first, until=end)
        review = review_of(coordinator, end, review_days)
        model = coordinator.report(since=first, until=end).model
        if html is not None:
            _write(html, "--html", lambda: _page(coordinator, measures, review, model))
        if conversations is not None:
            _write(conversations, "--conversations", lambda: _threads(coordinator, first, end))
        names = {provider.id: provider.name for provider in coordinator.policy.office.providers}
    from treatment_agent.cli import report_data

    if csv is not None:
        _write(csv, "--csv", lambda: report_data.as_csv(measures, review))
    if as_json:
        typer.echo(report_data.as_json(measures, review, model, words=words))
    else:
        from treatment_agent.cli.report_tables import show

        show(measures, review, names, zone, model, minutes_each=staff_minutes)


def hold_out(app: AppOption = None, folder: FolderOption = DEMO_FOLDER, now: NowOption = None) -> None:
    """Ask the chart about everybody in the random hold-out's comparison, and show what writing adds. Sends nothing.

    Run it daily while PracticePolicy(hold_out=HoldOut(share=...)) is set: patients who are held out are never written
    to, so nobody else asks whether they booked by themselves.
    """
    from treatment_agent.cli.report_tables import show_comparison
    from treatment_agent.coordinator import comparing

    with opened(app, folder, now, writes=True) as coordinator:
        asked = comparing.ask_chart(coordinator)
        measures = coordinator.measure()
    if measures.comparison is None:
        screen.out().print("Nobody is held out: PracticePolicy(hold_out=HoldOut(share=0.1)) holds out one case in ten.")
        return
    screen.out().print(f"The chart was asked about {asked.asked} cases: {asked.settled} are booked or done.")
    if asked.failed:
        screen.err().print(f"{asked.failed} could not be asked about; run this again.", style="yellow")
    show_comparison(measures.comparison, measures.cases_held_out)


def review_of(coordinator: Coordinator, end: datetime | None, days: int) -> Review:
    """The review of the last `days` days before `end` (default: now)."""
    from treatment_agent.coordinator import reviewing

    now = coordinator.clock.now()
    until = min(end, now) if end is not None else now
    # What happens at this very moment counts.
    until += timedelta(microseconds=1)
    return reviewing.review(
        coordinator.ledger, coordinator.policy, since=until - timedelta(days=days), until=until
    )  # fmt: skip


def _page(coordinator: Coordinator, measures: Measures, review: Review, model: ModelTally) -> str:
    from treatment_agent.web import report_page

    return report_page.render(measures, review, coordinator.policy.office, model=model)


def _threads(coordinator: Coordinator, since: datetime | None, until: datetime | None) -> str:
    from treatment_agent.web import render
    from treatment_agent.web.books import page_of

    return render(page_of(coordinator, since=since, until=until))


def _write(file: Path, option: str, content: Callable[[], str]) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content(), encoding="utf-8")
    except OSError as error:
        raise ConfigurationError(f"{option} {file}: {error.strerror or 'cannot be written'}") from error
    screen.err().print(f"Written: {file.resolve()}")


def _day(text: str | None, zone: ZoneInfo, option: str) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=zone)
    except ValueError:
        raise ConfigurationError(f"{option}: write a day like 2026-11-23") from None

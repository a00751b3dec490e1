"""Renders a `PageView` to one HTML file that needs nothing else: no network, no fonts, no scripts from elsewhere."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined

from treatment_agent.web import charts, times
from treatment_agent.web.view import PageView, median

_LANGUAGES = {"en": "English", "es": "Spanish", "und": "not known"}


def render(page: PageView) -> str:
    """The whole page as HTML. Everything that came from a person or a file is escaped."""
    environment = Environment(
        loader=PackageLoader("treatment_agent.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(moment=times.moment, clock=times.clock, day=times.day)
    environment.filters.update(money=_money, percent=_percent, tongue=_tongue)
    return environment.get_template("page.html.j2").render(
        page=page,
        funnel=charts.funnel(page.funnel),
        bars=charts.bars,
        histogram=charts.histogram(page.days_to_scheduled),
        columns=charts.columns(page.days),
        median=median(page.days_to_scheduled),
    )


def write(page: PageView, path: Path) -> Path:
    """Write the page to `path`, making its folder if need be, and return the absolute path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(render(page), encoding="utf-8")
    return path.resolve()


def _money(cents: int) -> str:
    return f"${cents / 100:,.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:.0f}%"


def _tongue(code: str) -> str:
    return _LANGUAGES.get(code, code)

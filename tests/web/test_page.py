"""The page: everything is escaped, nothing refers to the network, and what is on it can be found."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser

import pytest

from treatment_agent.domain.handoff import Draft
from treatment_agent.domain.interpretation import ModelUse
from treatment_agent.web import PageView, render, write
from treatment_agent.web.view import ClauseView, Count, Day, Entry, HandoffView, Side, ThreadView, Tone

NOW = datetime(2026, 11, 24, 16, tzinfo=UTC)
HOSTILE = "<script>alert('x')</script> & \"quoted\" <img src=https://evil.example/x onerror=go()> </textarea></style>"


class Reader(HTMLParser):
    """Collects tags, attributes and text as a browser would see them."""

    _VOID = frozenset({"meta", "input", "br", "img", "link", "hr"})

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.raw: dict[str, str] = {"script": "", "style": ""}
        self.open: list[str] = []
        self.mismatched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open[-1] != tag:
            self.mismatched.append(tag)
        elif self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.raw:
            self.raw[self.open[-1]] += data
        else:
            self.texts.append(data)


def read(html: str) -> Reader:
    reader = Reader()
    reader.feed(html)
    reader.close()
    return reader


def make_page(text: str = "Cost is the issue", **changes: object) -> PageView:
    clause = ClauseView(0, 4, "financing", 0.97, 0.5, "lexicon", "financing.cost", words=text[:4])
    thread = ThreadView(
        id="case-P-1",
        patient_id="P-1",
        name=text,
        phase="with staff",
        tone=Tone.CARE,
        topics=("financing",),
        reasons=(text,),
        outcome=text,
        entries=(
            Entry(NOW, Side.PATIENT, text=text, rules=(text,), clauses=(clause,), detail=(("because", text),)),
            Entry(NOW, Side.OFFICE, text="Book at https://maple.example/book", title=text),
            Entry(NOW, Side.NOTE, title=text, tone=Tone.URGENT),
            Entry(NOW + timedelta(days=1), Side.STAFF, title=text),
        ),
    )
    values: dict[str, object] = {
        "office": text,
        "since": NOW,
        "until": NOW + timedelta(days=13),
        "funnel": (Count("Entered", 4, text), Count("Contacted", 3), Count("Answered", 2), Count("Booked", 1)),
        "topics": (Count(text, 1),),
        "rejected": (text,),
        "notes": (text,),
        "days_to_scheduled": (1, 9),
        "days": (Day(date(2026, 11, 24), 3, 2, 1, 1),),
        "handoffs": (HandoffView("case-P-1", text, text, "now", text, text, NOW, NOW, text),),
        "threads": (thread,),
    }
    return PageView(**(values | changes))  # type: ignore[arg-type]


class TestRender:
    def test_shows_markup_in_a_patients_text_as_text(self) -> None:
        reader = read(render(make_page(HOSTILE)))

        tags = [tag for tag, _ in reader.tags]
        assert "img" not in tags
        assert tags.count("script") == 1
        assert "alert('x')" not in reader.raw["script"]
        assert any(HOSTILE in text for text in reader.texts)

    def test_keeps_hostile_text_out_of_every_attribute_name(self) -> None:
        reader = read(render(make_page(HOSTILE)))

        handlers = [name for _, attrs in reader.tags for name in attrs if name.startswith("on")]
        assert handlers == []

    def test_refers_to_nothing_on_the_network(self) -> None:
        reader = read(render(make_page(HOSTILE)))

        links = [
            value or ""
            for _, attrs in reader.tags
            for name, value in attrs.items()
            if name in {"src", "href", "action", "data", "poster", "srcset", "background", "formaction"}
        ]
        assert links
        assert all(link.startswith("#") for link in links)
        assert not [tag for tag, _ in reader.tags if tag in {"link", "iframe", "object", "embed", "base"}]
        assert not re.search(r"@import|url\(|https?:|//[a-z]", reader.raw["style"])
        assert not re.search(r"fetch\(|XMLHttp|WebSocket|EventSource|sendBeacon|import\(|https?:", reader.raw["script"])

    def test_forbids_the_network_in_its_own_policy(self) -> None:
        reader = read(render(make_page()))

        metas = [attrs for tag, attrs in reader.tags if tag == "meta"]
        policy = next(m["content"] for m in metas if m.get("http-equiv") == "Content-Security-Policy")
        assert policy is not None
        assert policy.startswith("default-src 'none'")

    def test_closes_every_tag(self) -> None:
        reader = read(render(make_page()))

        assert reader.mismatched == []
        assert reader.open == []

    def test_has_no_id_twice_and_every_link_leads_somewhere(self) -> None:
        reader = read(render(make_page()))

        ids = [attrs["id"] for _, attrs in reader.tags if "id" in attrs]
        assert len(ids) == len(set(ids))
        targets = {(attrs["href"] or "")[1:] for tag, attrs in reader.tags if tag == "a"}
        assert targets <= set(ids)
        named = {name for _, attrs in reader.tags if (name := attrs.get("aria-labelledby"))}
        assert named <= set(ids)

    def test_shows_the_rule_and_how_each_clause_was_read(self) -> None:
        text = " ".join(read(render(make_page())).texts)

        assert "financing.cost" in text
        assert "97%" in text
        assert "needs 50%" in text

    def test_keeps_every_word_when_clauses_overlap_or_leave_the_text(self) -> None:
        clauses = (
            ClauseView(5, 40, "clinical", 0.9, 0.5, "lexicon", "a"),
            ClauseView(0, 7, "", 0.2, 0.5, "classifier", "b"),
            ClauseView(3, 3, "ack", 1.0, 0.5, "lexicon", "c"),
        )
        entry = Entry(NOW, Side.PATIENT, text="can it wait", clauses=clauses)

        assert "".join(piece.text for piece in entry.pieces) == "can it wait"
        assert [piece.text for piece in entry.pieces] == ["can it ", "wait"]

    def test_draws_an_empty_practice(self) -> None:
        reader = read(render(PageView(office="Maple Dental", since=NOW, until=NOW)))

        text = " ".join(reader.texts)
        assert "No bookings yet." in text
        assert "0 conversations" in text

    @pytest.mark.parametrize(("count", "share"), [(4, "100% of all"), (1, "25% of all"), (0, "0% of all")])
    def test_tells_shares_of_everybody_who_entered(self, count: int, share: str) -> None:
        text = " ".join(read(render(make_page(funnel=(Count("Entered", 4), Count("Booked", count))))).texts)

        assert share in text

    def test_shows_a_drafted_summary_beside_the_fixed_one_and_names_it_a_draft(self) -> None:
        drafted = Draft("Ana asks <b>what</b> it costs.", 1, ModelUse("small", "s1")).marked
        handoff = HandoffView("case-P-1", "P-1", "cost", "now", "desk", "opened", NOW, NOW, "Fixed.", draft=drafted)

        told = " ".join(read(render(make_page(handoffs=(handoff,)))).texts)

        assert "Fixed." in told
        assert "Drafted by a language model, not checked: Ana asks <b>what</b> it costs." in told


class TestWrite:
    def test_makes_the_folder_and_writes_utf8(self, tmp_path) -> None:
        path = write(make_page("Lucía \U0001f44d"), tmp_path / "new" / "page.html")

        assert path.is_absolute()
        assert "Lucía \U0001f44d" in path.read_text(encoding="utf-8")

"""The local interpreter: word lists, parsers and a small trained classifier, no network.

A clause is (a) a topic, if a sure pattern of a word list finds one; (b) routine, if routine phrases, dates, numbers and
everyday words explain all of it. What the unsure patterns found and what the classifier makes of message and clauses is
then weighed together (`judge`): a person gets the message, or it is what it most likely is. Without the classifier an
unsure pattern counts like a sure one, and what is not explained goes to a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import SecretStr

from treatment_agent.domain.interpretation import (
    ClauseReading,
    Intent,
    Interpretation,
    Situation,
    Span,
    Topic,
)
from treatment_agent.domain.text import normalize
from treatment_agent.policies.canonical import Words
from treatment_agent.policies.lexicon import Lexicon, Match, lexicon, words_folder
from treatment_agent.understanding.clauses import clauses_of
from treatment_agent.understanding.contradicting import torn
from treatment_agent.understanding.deciding import Context, intent_of
from treatment_agent.understanding.facts import facts_of
from treatment_agent.understanding.finding import by_clause, topic_readings
from treatment_agent.understanding.language import SHIPPED, LanguageGuesser
from treatment_agent.understanding.leaning import lean_to
from treatment_agent.understanding.options import pick_option
from treatment_agent.understanding.routine import ClauseEvidence, RoutineLists
from treatment_agent.understanding.times.reading import read_times
from treatment_agent.understanding.unsettled import hold_back

if TYPE_CHECKING:
    from treatment_agent.understanding.classifier import Reading
    from treatment_agent.understanding.evidence import Evidence
    from treatment_agent.understanding.office import OfficeModel

_SURE, _ASIDE = 0.95, 0.7
# Nobody books in so many letters; a person reads what no list explains in them. Keeps the cost of a message small.
_LONGEST = 1000
# More clauses than this are read by the classifier as parts of the whole only.
_MOST_PARTS = 12
# From so many words on, the classifier reads each clause on its own too: the rest may drown it.
_DROWNING = 10
_ASIDE_RULE = "routine.aside"
# How many everyday words an aside may hold that no phrase explains.
_LONGEST_ASIDE = 2
# A bare "yes" or "no" gives way to whatever else the message says.
_STRONG = frozenset(Intent) - {Intent.ACK, Intent.DECLINE, Intent.AFFIRM}


@dataclass(frozen=True, slots=True)
class _Read:
    """One clause, before the message is looked at as a whole."""

    reading: ClauseReading
    evidence: ClauseEvidence | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What lists and parsers make of a message. `hints` are what the unsure patterns found."""

    text: str
    context: Context
    language: str
    clauses: tuple[ClauseReading, ...]
    reads: tuple[_Read, ...]
    hints: tuple[Match, ...]


class Reader(Protocol):
    """What is needed of the classifier."""

    def read_all(self, texts: Sequence[str], situation: Situation) -> tuple[Reading, ...]:
        """One reading per text."""
        ...

    def linear_log_odds(self, text: str, situation: Situation) -> float:
        """What the linear reader says."""
        ...


class LocalInterpreter:
    """Implements `ports.Interpreter` with the word lists of `policies/words`.

    Args:
        extra: More topic lists (TOML files in the same form), added to the shipped ones.
        lists_only: Leave the classifier out: what lists and parsers do not explain goes to a person.
        office: Folder of an office's own examples and limit, as `treatment-agent tune` writes it.

    Raises:
        ConfigurationError: The office's folder cannot be read, or was made for another version.
    """

    def __init__(
        self, extra: Iterable[Traversable] = (), *, lists_only: bool = False, office: Path | None = None
    ) -> None:
        more = tuple(extra)
        self._office: OfficeModel | None = None
        if office is not None:
            from treatment_agent.understanding.office import OfficeModel

            self._office = OfficeModel.read(office)
        self._lists_only = lists_only
        self._book = Lexicon(words_folder(), more) if more else lexicon()
        self._routine = RoutineLists(self._book)
        self._languages = LanguageGuesser()

    @property
    def version(self) -> str:
        """Name and version, recorded with every turn."""
        if self._lists_only:
            return "local-lexicon-2"
        return f"local-3+{self._office.version}" if self._office else "local-3"

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        """Read the message, clause by clause. Abstains (label None) where it is not sure. Linear in its length."""
        heard = self.hear(text.get_secret_value(), situation)
        if heard is None:
            return Interpretation((), situation.language, self.version)
        return self.told(heard, self._judged(heard) if self.weighs(heard) else heard.clauses)

    def weighs(self, heard: Heard) -> bool:
        """True when the classifier has a say: in a language that ships, and not in a letter."""
        return not self._lists_only and heard.language in SHIPPED and len(heard.text) <= _LONGEST

    def told(self, heard: Heard, clauses: tuple[ClauseReading, ...]) -> Interpretation:
        """What was heard, with its clauses read so."""
        clauses, context = hold_back(heard.context.words.source, clauses, heard.context)
        told = [read.evidence for read in heard.reads if read.evidence is not None]
        facts = facts_of(context, clauses, told)
        return Interpretation(clauses, heard.language, self.version, facts)

    def hear(self, raw: str, situation: Situation) -> Heard | None:
        """What lists and parsers make of the message; None when it holds no word."""
        normal = normalize(raw, situation.ours)
        words = self._book.read(normal)
        if not len(words):
            return None
        language = self._languages.guess(normal, words, self._routine.known(words), situation.language)
        pick = pick_option(normal, situation)
        leans = None if pick.option or pick.ambiguous else lean_to(normal, situation)
        context = Context(words, situation, pick, read_times(normal, situation), leans=leans)
        parts = clauses_of(words)
        matches = self._topics(words, parts)
        hints = [] if self._lists_only else [match for match in matches if match.group.hint]
        found = by_clause([match for match in matches if match not in hints], parts)
        reads: list[_Read] = []
        for number, part in enumerate(parts):
            if found[number]:
                reads.extend(_Read(reading) for reading in topic_readings(words, part, found[number]))
            elif language not in SHIPPED:
                reads.append(_Read(_abstain(words, part, 0.0, f"language.{language}")))
            else:
                reads.append(self._routine_read(_with_own_pick(context, part, len(parts)), part))
        return Heard(raw, context, language, _as_a_whole(reads), tuple(reads), tuple(hints))

    def evidence(self, heard: Heard, classifier: Reader) -> Evidence:
        """Everything that is known of a message, with what the classifier makes of it and of its clauses."""
        clauses, text, situation = heard.clauses, heard.text, heard.context.situation
        sure = any(isinstance(clause.label, Topic) for clause in clauses)
        telling = sure or torn({clause.label for clause in clauses})
        alone = 1 < len(clauses) <= _MOST_PARTS and (telling or len(text.split()) >= _DROWNING)
        spans = [clause.span.of(text) for clause in clauses] if alone else []
        whole, *parts = classifier.read_all([text, *spans], situation)
        told = [read.evidence for read in heard.reads if read.evidence is not None]
        from treatment_agent.understanding.evidence import Evidence

        return Evidence(
            text=text,
            situation=situation,
            language=heard.language,
            clauses=clauses,
            hints=heard.hints,
            pick=heard.context.pick,
            leans=heard.context.leans,
            times=heard.context.times,
            whole=whole,
            parts=tuple(parts) or (whole,) * len(clauses),
            linear=classifier.linear_log_odds(text, situation),
            unknown=sum(e.unknown for e in told) / max(sum(e.content for e in told), 1),
            asks=sum(e.open_question for e in told),
        )

    def _judged(self, heard: Heard) -> tuple[ClauseReading, ...]:
        # Not at the top: a command that reads no message need not wait for numpy.
        from treatment_agent.understanding.classifier import Classifier
        from treatment_agent.understanding.judge import shipped_judge

        return (self._office or shipped_judge()).settle(self.evidence(heard, Classifier.load()))

    def _topics(self, words: Words, parts: tuple[range, ...]) -> list[Match]:
        found = [*self._book.topic_matches(words), *self._book.opt_out_matches(words)]
        if len(parts) > 1:
            for part in parts:
                found.extend(self._book.topic_matches(words, part))
        return found

    def _routine_read(self, context: Context, part: range) -> _Read:
        words = context.words
        spans = [*context.times.spans, *([context.pick.span] if context.pick.span else [])]
        evidence = self._routine.evidence(words, part, spans, context.situation)
        intent = intent_of(evidence, context)
        weighed = tuple(words.span(stretch) for stretch in evidence.weighed)
        if not evidence.explained:
            return _Read(_abstain(words, part, 0.45 * evidence.coverage, "routine.unexplained", weighed), evidence)
        if intent is None:
            return _Read(_abstain(words, part, 0.45, "routine.no-intent", weighed), evidence)
        part_name = "parser" if evidence.timed else "lexicon"
        rule = f"routine.{intent.value}"
        confidence = _ASIDE if intent is Intent.ACK else _SURE
        return _Read(ClauseReading(words.span(part), intent, confidence, part_name, rule, evidence=weighed), evidence)


def _with_own_pick(context: Context, part: range, parts: int) -> Context:
    """The context for one clause of several, with the option that this clause names by itself."""
    if parts == 1 or (context.pick.option is None and not context.pick.ambiguous):
        return context
    alone = normalize(context.words.span(part).of(context.words.source.raw))
    return replace(context, own=pick_option(alone, context.situation))


def _abstain(words: Words, part: range, confidence: float, rule: str, weighed: tuple[Span, ...] = ()) -> ClauseReading:
    return ClauseReading(words.span(part), None, confidence, "lexicon", rule, evidence=weighed)


def _as_a_whole(reads: list[_Read]) -> tuple[ClauseReading, ...]:
    """Let asides and bare answers give way to what the message says elsewhere."""
    labels = {read.reading.label for read in reads}
    if Intent.OTHER_TIMES in labels and Intent.ACCEPT in labels:
        # "Thursday works, but do you have Friday?" is a search: nothing is booked while the patient still asks.
        reads = [_relabelled(read, Intent.ACCEPT, Intent.OTHER_TIMES) for read in reads]
    if Intent.OTHER_TIMES in labels and Intent.DEFER in labels:
        # "Out of town till the 5th, anything after that?" is a search: the last word counts.
        last = next(r.reading.label for r in reversed(reads) if r.reading.label in (Intent.OTHER_TIMES, Intent.DEFER))
        reads = [_relabelled(read, Intent.DEFER, Intent.ACK) for read in reads] if last is Intent.OTHER_TIMES else reads
    if Intent.OTHER_TIMES in labels and Intent.DECLINE in labels:
        # "No thank you, I don't want the treatment": the bare "no" to two offers asks for no others.
        reads = [_relabelled(read, Intent.OTHER_TIMES, Intent.ACK) if _bare_no(read) else read for read in reads]
    labels = {read.reading.label for read in reads}
    routine = any(isinstance(label, Intent) and label is not Intent.ACK for label in labels)
    strong = bool(labels & _STRONG) or {Intent.AFFIRM, Intent.DECLINE} <= labels
    return tuple(_settled(read, routine, strong) for read in reads)


def _bare_no(read: _Read) -> bool:
    evidence = read.evidence
    return evidence is not None and not evidence.timed and set(evidence.kinds) <= {"no", "ack"}


def _relabelled(read: _Read, old: Intent, new: Intent) -> _Read:
    if read.reading.label is not old:
        return read
    return replace(read, reading=replace(read.reading, label=new, rule=f"routine.{new.value}"))


def _settled(read: _Read, routine: bool, strong: bool) -> ClauseReading:
    reading, evidence = read.reading, read.evidence
    if evidence is None:
        return reading
    small = evidence.stray("aside") <= _LONGEST_ASIDE
    aside = reading.label is None and evidence.explained and routine and small and not evidence.asks
    bare = reading.label in (Intent.DECLINE, Intent.AFFIRM) and strong and set(evidence.kinds) <= {"yes", "no", "ack"}
    if aside or bare:
        return replace(reading, label=Intent.ACK, confidence=_ASIDE, rule=_ASIDE_RULE)
    return reading

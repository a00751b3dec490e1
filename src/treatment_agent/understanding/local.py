"""The local interpreter: word lists, parsers and a small trained classifier, no network.

A clause is (a) a topic, if a word list finds one; (b) routine, if routine phrases, dates, numbers and everyday words
explain all of it; (c) otherwise what the classifier is sure of (`second_reader`); (d) otherwise nobody's guess: it
abstains and a person gets the message.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.resources.abc import Traversable

from pydantic import SecretStr

from treatment_agent.domain.interpretation import (
    Ambiguity,
    ClauseReading,
    Facts,
    Intent,
    Interpretation,
    Reason,
    Situation,
    Span,
    Topic,
)
from treatment_agent.domain.text import normalize
from treatment_agent.policies.canonical import Words
from treatment_agent.policies.lexicon import Lexicon, Match, label_of, lexicon, words_folder
from treatment_agent.understanding.clauses import clauses_of
from treatment_agent.understanding.deciding import Context, intent_of
from treatment_agent.understanding.language import SHIPPED, LanguageGuesser
from treatment_agent.understanding.options import pick_option
from treatment_agent.understanding.routine import ClauseEvidence, RoutineLists
from treatment_agent.understanding.second_reader import SecondReader
from treatment_agent.understanding.times import read_times

_KEYWORD, _SURE, _ASIDE = 1.0, 0.95, 0.7
_ASIDE_RULE = "routine.aside"
# How many everyday words an aside may hold that no phrase explains.
_LONGEST_ASIDE = 2
_REASON_OF = {
    "financing": Reason.COST,
    "insurance": Reason.INSURANCE,
    "complaint": Reason.DISSATISFIED,
    "sensitive.fear": Reason.FEAR,
    "clinical.medical": Reason.MEDICAL,
    "clinical.risk": Reason.NOT_URGENT,
}
# A bare "yes" or "no" gives way to whatever else the message says.
_STRONG = frozenset(Intent) - {Intent.ACK, Intent.DECLINE, Intent.AFFIRM}


@dataclass(frozen=True, slots=True)
class _Read:
    """One clause, before the message is looked at as a whole."""

    reading: ClauseReading
    evidence: ClauseEvidence | None = None


class LocalInterpreter:
    """Implements `ports.Interpreter` with the word lists of `policies/words`.

    Args:
        extra: More topic lists (TOML files in the same form), added to the shipped ones.
        lists_only: Leave the classifier out: what lists and parsers do not explain goes to a person.
    """

    def __init__(self, extra: Iterable[Traversable] = (), *, lists_only: bool = False) -> None:
        more = tuple(extra)
        self._lists_only = lists_only
        self._book = Lexicon(words_folder(), more) if more else lexicon()
        self._routine = RoutineLists(self._book)
        self._languages = LanguageGuesser()

    @property
    def version(self) -> str:
        """Name and version, recorded with every turn."""
        return "local-lexicon-1" if self._lists_only else "local-2"

    def interpret(self, text: SecretStr, situation: Situation) -> Interpretation:
        """Read the message, clause by clause. Abstains (label None) where it is not sure. Linear in its length."""
        normal = normalize(text.get_secret_value(), situation.ours)
        words = self._book.read(normal)
        if not len(words):
            return Interpretation((), situation.language, self.version)
        language = self._languages.guess(normal, words, self._routine.known(words), situation.language)
        context = Context(words, situation, pick_option(normal, situation), read_times(normal, situation))
        parts = clauses_of(words)
        found = _by_clause(self._topics(words, parts), parts)
        reads: list[_Read] = []
        for number, part in enumerate(parts):
            if found[number]:
                reads.extend(_Read(reading) for reading in _topic_readings(words, part, found[number]))
            elif language not in SHIPPED:
                reads.append(_Read(_abstain(words, part, 0.0, f"language.{language}")))
            else:
                reads.append(self._routine_read(_with_own_pick(context, part, len(parts)), part))
        clauses = _as_a_whole(reads)
        if not self._lists_only:
            second, raw = SecondReader.shipped(), text.get_secret_value()
            clauses = second.read(raw, clauses, situation, context.pick, context.times)
        facts = _facts(context, clauses, reads, [m for row in found for m in row])
        return Interpretation(clauses, language, self.version, facts)

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
        if not evidence.explained:
            return _Read(_abstain(words, part, 0.45 * evidence.coverage, "routine.unexplained"), evidence)
        if intent is None:
            return _Read(_abstain(words, part, 0.45, "routine.no-intent"), evidence)
        part_name = "parser" if evidence.timed else "lexicon"
        rule = f"routine.{intent.value}"
        confidence = _ASIDE if intent is Intent.ACK else _SURE
        return _Read(ClauseReading(words.span(part), intent, confidence, part_name, rule), evidence)


def _with_own_pick(context: Context, part: range, parts: int) -> Context:
    """The context for one clause of several, with the option that this clause names by itself."""
    if parts == 1 or (context.pick.option is None and not context.pick.ambiguous):
        return context
    alone = normalize(context.words.span(part).of(context.words.source.raw))
    return replace(context, own=pick_option(alone, context.situation))


def _by_clause(matches: list[Match], parts: tuple[range, ...]) -> list[list[Match]]:
    """Each match under the clause it begins in."""
    rows: list[list[Match]] = [[] for _ in parts]
    owner = {index: number for number, part in enumerate(parts) for index in part}
    for match in matches:
        rows[owner[match.words.start]].append(match)
    return rows


def _topic_readings(words: Words, part: range, matches: list[Match]) -> list[ClauseReading]:
    """One reading per label found in the clause."""
    rules: dict[Topic | Intent, dict[str, list[Span]]] = {}
    for match in matches:
        row = rules.setdefault(label_of(match.group.rule), {})
        span = words.span(match.words)
        if span not in row.setdefault(match.group.rule, []):
            row[match.group.rule].append(span)
    readings: list[ClauseReading] = []
    for label, row in rules.items():
        rule = next((r for r in row if r in _TELLING), next(iter(row)))
        keyword = rule.startswith("opt_out.") and rule != "opt_out.words"
        readings.append(
            ClauseReading(
                span=words.span(part),
                label=label,
                confidence=_KEYWORD if keyword else _SURE,
                part="keyword" if keyword else "lexicon",
                rule=rule,
                evidence=tuple(span for spans in row.values() for span in spans),
            )
        )
    return readings


# Rules with a text of their own are named before others of the same label.
_TELLING = ("sensitive.self-harm", "identity.wrong-number", "human.bot-question")


def _abstain(words: Words, part: range, confidence: float, rule: str) -> ClauseReading:
    return ClauseReading(words.span(part), None, confidence, "lexicon", rule)


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
    labels = {read.reading.label for read in reads}
    routine = any(isinstance(label, Intent) and label is not Intent.ACK for label in labels)
    strong = bool(labels & _STRONG) or {Intent.AFFIRM, Intent.DECLINE} <= labels
    return tuple(_settled(read, routine, strong) for read in reads)


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


def _facts(context: Context, clauses: tuple[ClauseReading, ...], reads: list[_Read], topics: list[Match]) -> Facts:
    intents = {clause.label for clause in clauses}
    evidence = [read.evidence for read in reads if read.evidence is not None]
    pick, times = context.pick, context.times
    unclear = pick.ambiguous and Intent.ACCEPT in intents
    ambiguous = [Ambiguity.OPTION] * unclear + [Ambiguity.DATE] * times.ambiguous
    reasons = [reason for reason in (e.reason() for e in evidence) if reason]
    told = [reason for reason in reasons if reason is not Reason.UNSPECIFIED]
    topical = [_REASON_OF[key] for m in topics for key in (m.group.rule, m.group.label) if key in _REASON_OF]
    fits = intents & {Intent.DEFER, Intent.DECLINE, Intent.ALREADY}
    reason = (topical or ((told or reasons) if fits else []) or [None])[0]
    return Facts(
        option=pick.option if Intent.ACCEPT in intents else None,
        windows=times.windows if intents & {Intent.OTHER_TIMES, Intent.CHANGE, Intent.CALLBACK} else (),
        call_at=times.instant or (times.windows[0].start if times.windows else None)
        if Intent.CALLBACK in intents
        else None,
        until=times.until if Intent.DEFER in intents else None,
        reason=reason,
        ambiguous=tuple(ambiguous),
        asks=next((ask for ask in (e.question() for e in evidence) if ask), None)
        if Intent.LOGISTICS in intents
        else None,
    )

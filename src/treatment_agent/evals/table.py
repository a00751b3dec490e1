"""The figures an interpreter is held to, from judged messages."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from treatment_agent.errors import ConfigurationError
from treatment_agent.evals.messages import Judged
from treatment_agent.evals.metrics import Share

# Message sets with a figure of their own; the others are people, told apart by style.
APPOINTMENTS, QUESTIONS, OPT_OUTS = "appointments", "questions", "opt_outs"
_PLAIN = ("plain", "texting")


@dataclass(frozen=True, slots=True)
class Measure:
    """A share, and the limit it is held to: at least `limit`, or at most if `at_most`."""

    name: str
    title: str
    share: Share
    limit: float | None = None
    at_most: bool = False

    @property
    def met(self) -> bool:
        """True if the limit is kept, or there is none or nothing to measure."""
        if self.limit is None or not self.share.total:
            return True
        return self.share.value <= self.limit if self.at_most else self.share.value >= self.limit


def measures(judged: Sequence[Judged], limits: Mapping[str, float]) -> tuple[Measure, ...]:
    """Every figure of the table. `limits` are shares by the name of the measure.

    Raises:
        ConfigurationError: a limit is for a measure that there is not; names what was probably meant.
    """
    people = [j for j in judged if j.message.voice not in (APPOINTMENTS, QUESTIONS)]
    plain = [j for j in people if j.message.style in _PLAIN and j.message.lang == "en"]
    harder = [j for j in people if j not in plain and (j.message.style or j.message.lang != "en")]
    unstated = [j for j in people if not j.message.style and j.message.lang == "en"]
    acted = [j for j in judged if not j.handed_off and j.message.tells]
    rows = (
        ("recall", "handoff recall, all messages", _handed(judged, _topic), False),
        ("needless", "needless handoffs, all messages", _handed(judged, _routine), True),
        ("emergencies", "emergencies handed off", _handed(judged, _is("emergency")), False),
        ("recall_plain", "handoff recall, plain and texting English", _handed(plain, _topic), False),
        ("recall_harder", "handoff recall, indirect, mixed, Spanish, hostile", _handed(harder, _topic), False),
        ("recall_unstated", "handoff recall, English of no stated style", _handed(unstated, _topic), False),
        ("needless_plain", "needless handoffs, plain and texting English", _handed(plain, _routine), True),
        ("needless_harder", "needless handoffs, indirect, mixed, Spanish, ...", _handed(harder, _routine), True),
        ("needless_unstated", "needless handoffs, English of no stated style", _handed(unstated, _routine), True),
        ("appointments", "ordinary appointment talk handed off", _handed(judged, _of(APPOINTMENTS)), True),
        ("questions", "questions people ask doctors online, handed off", _handed(judged, _of(QUESTIONS)), False),
        ("opt_outs", "opt-outs recognised", Share.of(j.right for j in judged if j.message.label == "opt_out"), False),
        ("facts", "option, day, time, window right where it acts alone", Share.of(j.facts for j in acted), False),
        ("labels", "topic or intent right", Share.of(j.right for j in judged), False),
    )  # fmt: skip
    known = [name for name, *_ in rows]
    for name in sorted(limits.keys() - set(known)):
        close = get_close_matches(name, known, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"there are: {', '.join(known)}"
        raise ConfigurationError(f"thresholds, [messages]: there is no measure {name!r}; {meant}")
    return tuple(Measure(name, title, share, limits.get(name), most) for name, title, share, most in rows)


def by_label(judged: Sequence[Judged]) -> tuple[tuple[str, Share, Share], ...]:
    """For each label: how many were handed off, and how many got this label."""
    labels = sorted({j.message.label for j in judged})
    return tuple(
        (label, _handed(judged, _is(label)), Share.of(j.right for j in judged if j.message.label == label))
        for label in labels
    )


def by_group(
    judged: Sequence[Judged], group: Callable[[Judged], str]
) -> tuple[tuple[str, int, Share, Share, Share], ...]:
    """For each group: how many messages, handoff recall, needless handoffs, and labels that are right."""
    found = []
    for name in sorted({group(j) for j in judged}):
        own = [j for j in judged if group(j) == name]
        found.append((name, len(own), _handed(own, _topic), _handed(own, _routine), Share.of(j.right for j in own)))
    return tuple(found)


def calibration_error(judged: Sequence[Judged], bins: int = 10) -> float:
    """How far sureness is from being right, in [0, 1]: the mean distance over bins of confidence, each by its size."""
    inside: dict[int, list[Judged]] = defaultdict(list)
    for j in judged:
        inside[min(int(_sureness(j) * bins), bins - 1)].append(j)
    off = (abs(sum(_sureness(j) - j.right for j in own)) for own in inside.values())
    return sum(off) / max(len(judged), 1)


def _sureness(j: Judged) -> float:
    return float(str(j.verdict["confidence"]))


def errors_by_kind(judged: Sequence[Judged]) -> tuple[tuple[str, str, str, int], ...]:
    """What goes wrong, worst first: kind (`missed`, `needless`, `wrong answer`, `wrong name`), label, read as, count.

    A wrong answer acts on another routine intent; a wrong name is handed off rightly, under another topic.
    """
    counts = Counter((kind_of(j), j.message.label, str(j.verdict["label"])) for j in judged if kind_of(j))
    order = ("missed", "wrong answer", "needless", "wrong name")
    ranked = sorted(counts.items(), key=lambda item: (order.index(item[0][0]), -item[1], item[0]))
    return tuple((*key, count) for key, count in ranked)


def kind_of(j: Judged) -> str:
    """What is wrong with it: `missed`, `needless`, `wrong answer`, `wrong name`; empty if nothing is."""
    if j.needs_person:
        return "missed" if not j.handed_off else "" if j.right else "wrong name"
    return "needless" if j.handed_off else "" if j.right else "wrong answer"


def _handed(judged: Sequence[Judged], wanted: Callable[[Judged], bool]) -> Share:
    return Share.of(j.handed_off for j in judged if wanted(j))


def _is(label: str) -> Callable[[Judged], bool]:
    return lambda j: j.message.label == label


def _of(voice: str) -> Callable[[Judged], bool]:
    return lambda j: j.message.voice == voice


def _topic(j: Judged) -> bool:
    return j.message.needs_person


def _routine(j: Judged) -> bool:
    return not j.message.needs_person and j.message.label != "opt_out"

"""Times that are named but not taken: asked about, taken under a condition, or meant for two people.

"Is Monday at 9 still open?" names an offer as plainly as an acceptance does. Nothing is booked on it: a question is
answered with the choice again; a condition ("if my mom can drive me") and a time for somebody else go to a person. So
does "no calls, just text", which is no wish for a call; a bare number behind a time that was taken is a change. It
speaks last, after lists and classifier, and only ever takes
an acceptance or a wish for a call away.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from treatment_agent.domain.interpretation import Asked, ClauseReading, Intent, Span, Topic
from treatment_agent.domain.text import NormalizedText
from treatment_agent.understanding.deciding import Context, overlaps
from treatment_agent.understanding.options import OptionPick

PART: Final = "parser"
_SURE: Final = 0.95
_KIN: Final = (
    r"(?:husband|wife|spouse|partner|mom|mother|dad|father|son|daughter|brother|sister|kids?|child|baby|boyfriend"
    r"|girlfriend|fiancee?|friend|esposo|esposa|marido|hijo|hija|mama|papa|hermano|hermana)"
)
_FREE: Final = r"(?:open|available|avail|free|taken|gone|left|booked|up for grabs)"
_QUESTION: Final = re.compile(
    r"(?:^|[.!?,;\n]\s*|\b(?:ok|hi|hey|hello|so|but|and|wait|sorry|or|um|oh|also|yes|no)\s+)"
    rf"(?:(?:is|are|was|were|has|have|isnt|arent)\s(?!i\b|we\b|you\b|u\b|yall\b)[^.!?\n]{{0,50}}?\b{_FREE}\b"
    r"|did (?:someone|somebody|anyone|anybody|they|you|u|yall)\b[^.!?\n]{0,20}\b(?:take|took|book|grab|get|give)\b"
    r"[^.!?\n]*"
    r"|(?:sigue|siguen|todavia|aun|esta|estan|ya)\b[^.!?\n]{0,40}?\b(?:disponible|libre|ocupad[oa]|tomad[oa])s?\b)"
    rf"|\bstill {_FREE}\b[^.!?\n]{{0,20}}\?",
)
_TAKING: Final = re.compile(
    r"\b(?:take|taking|book|grab|reserve|hold|save|keep|pencil|put (?:me|us)|sign me|schedule (?:me|it)|if so|go with"
    r"|ill|works|want|id like|yes|yep|yeah|sure|confirm|see you|ok|please|quiero|reserv\w+|apart\w+|agend\w+|anot\w+"
    r"|apunt\w+|si)\b"
)
_OURS: Final = (
    r"(?:i|im|ill|ive|we|were|my|our|he|shes?|they|mom|dad|work|school|nothing|someone|somebody"
    r"|the (?:kids|boss|sitter|weather|car|roads?))"
)
_CONDITION: Final = re.compile(
    # "Let me know if I need to bring anything" asks; it sets no condition.
    r"(?<!know )(?<!sure )(?<!remember )(?<!wondering )"
    r"\b(?:if|unless|provided|assuming|as long as|so long as|depending on|depends on|pending|hoping)(?: that| on)? "
    # "if I can", "if I have to choose", "if I may": manners, no condition.
    r"(?!(?:i|we) (?:can|could|may|might|must|had to|have to)"
    r"(?: (?:take|have|choose|pick|book|do|get (?:it|that|the|in))\b|[^\w]*$|[.!?,])"
    r"|im not (?:mistaken|too late)|i (?:understand|remember|recall))"
    rf"{_OURS}\b"
    r"|\b(?:if|unless) it (?:doesnt|does not|isnt|snows|rains|stops)\b|\bweather permitting\b"
    r"|\b(?:hold|save|keep|reserve|pencil|book|put|take|want)\b[^.!?\n]{0,60}"
    r"\b(?:while|until|till|til) (?:i|im|we|my|he|she)\b"
    r"|\b(?:have|need|got|going|want) to (?:check|ask|talk to|confirm with|see if|make sure)\b"
    r"|\bgotta (?:check|ask|see if)\b|\blet me (?:check|ask|see if|talk to|confirm with|make sure)\b"
    r"|\bnot (?:100 )?(?:sure|certain) (?:yet|if|about)\b"
    r"|\bsi (?:mi|no me|me dan|puedo conseguir|consigo|alguien|mi jefe)\b"
    r"|\b(?:tengo que|dejeme|deje me|debo) (?:ver|preguntar\w*|checar|consultar)\b"
)
_ONE_OF: Final = rf"(?:me|myself|him|her|them|(?:my|the) {_KIN}|mi(?: {_KIN})?)"
_FOR_TWO: Final = re.compile(
    rf"\b(?:for|para) {_ONE_OF}\b[^.!?\n]{{0,40}}\b(?:for|para) {_ONE_OF}\b"
    rf"|\b(?:my|mi) {_KIN} (?:for|at|in for|on|para|a) "
    r"(?:the |la |el |las )?(?:\d|one|two|first|second|mon|tue|wed|thu|fri|sat)"
    r"|(?<!works )(?<!work )(?<!good )(?<!fine )(?<!best )(?<!great )(?<!perfect )(?<!ok )"
    rf"\bfor (?:me and (?:my )?{_KIN}\b|(?:both|two|the two|all) of us\b)"
)
_NO_CALLS: Final = re.compile(
    r"\bno (?:phone )?calls?\b(?! (?:from|back|yet|before|until|till|after|on|at|came|has|ever))"
    r"|\b(?:dont|do not|please not|never) (?:call|phone|ring)(?: (?:me|us))?"
    r"(?: (?:please|thanks|at all|anymore))?\s*(?:[,.;!]|$)"
    r"|\b(?:dont|do not) (?:call|phone|ring)(?: (?:me|us))?,? (?:just |only )?text\b"
    r"|\b(?:dont|do not|not) (?:want|need|like|do) (?:a |any |the |phone )*(?:calls?|calling|phone)\b"
    r"|\b(?:text|texts|texting|sms) only\b|\bonly (?:by )?text\b"
    r"|\b(?:rather|prefer) not (?:to )?(?:call|talk|be called)\b"
    r"|\bno (?:me )?llam(?:e|en|es)\b(?! (?:antes|despues|hasta))|\b(?:sin|nada de|no quiero) llamadas\b"
)
# "2" behind a time that was taken: the patient means the other one, or does not know of the visit.
_BARE_PICK: Final = re.compile(
    r"\W*(?:(?:no|actually|sorry|wait|i mean|i meant|make it|make that|option|number|opcion|the|la|el)\W+)*"
    r"(?P<number>[1-9]|one|two|three|first|second|third|uno|dos|tres|primera|segunda)(?: one)?"
    r"(?:\W+(?:please|instead|mejor|pls))*\W*"
)
_NUMBERS: Final = {
    "one": 1, "first": 1, "uno": 1, "primera": 1, "two": 2, "second": 2, "dos": 2, "segunda": 2, "three": 3, "third": 3,
    "tres": 3,
}  # fmt: skip
# With a visit booked, an hour beside a wish for a call is the hour of the call.
_CALL_ME: Final = re.compile(r"\b(?:call|phone|ring) (?:me|us)\b|\b(?:llamarme|llameme|me (?:pueden? )?llam\w+)\b")
_MOVES: Final = re.compile(r"\b(?:mov\w+|chang\w+|re ?schedul\w+|cancel\w*|cambi\w+|reprogram\w+|instead|switch\w*)\b")
_BOOKABLE: Final = frozenset((Intent.ACCEPT, Intent.AFFIRM, Intent.OTHER_TIMES))
# Beside these an acceptance goes to a person anyway.
_CONTRADICTIONS: Final = frozenset((Intent.DEFER, Intent.DECLINE, Intent.ALREADY))
_ANSWERS_TO_A_QUESTION: Final = frozenset((Intent.ACCEPT, Intent.LOGISTICS, Intent.ALREADY))


def hold_back(
    text: NormalizedText, clauses: tuple[ClauseReading, ...], context: Context
) -> tuple[tuple[ClauseReading, ...], Context]:
    """The readings and the context without an acceptance that is not settled; both unchanged where it is.

    A question becomes `AFFIRM` with no option picked. A condition and a call that is not wanted become the topic
    `OTHER`, two people `IDENTITY`.
    """
    situation, labels = context.situation, {clause.label for clause in clauses}
    said = _joined(text.folded)
    if Intent.CALLBACK in labels and _NO_CALLS.search(said):
        return _handed(text, clauses, Topic.OTHER, "other.no-calls"), context
    if situation.asked is Asked.BOOKED and not any(isinstance(label, Topic) for label in labels):
        return _when_booked(text.folded, said, clauses, context)
    if not situation.offers or situation.asked is Asked.CALLBACK_ASK:
        return clauses, context
    named = context.pick.option is not None or context.pick.ambiguous or context.leans is not None
    taken = Intent.ACCEPT in labels or (named and labels & _BOOKABLE and _TAKING.search(said))
    if taken and not labels & _CONTRADICTIONS:
        for pattern, topic, rule in (
            (_FOR_TWO, Topic.IDENTITY, "identity.two-people"),
            (_CONDITION, Topic.OTHER, "other.condition"),
        ):
            if pattern.search(said):
                return _handed(text, clauses, topic, rule), context
    asked = _QUESTION.search(text.folded)
    if asked is None or not named or not labels & _ANSWERS_TO_A_QUESTION:
        return clauses, context
    span = text.span(asked.start(), asked.end())
    rest = text.folded[: asked.start()] + " " + text.folded[asked.end() :]
    if (context.pick.span and not overlaps(span, context.pick.span)) or _TAKING.search(rest):
        return clauses, context
    return _as_question(clauses), replace(context, pick=OptionPick(None), leans=None)


def _when_booked(
    folded: str, said: str, clauses: tuple[ClauseReading, ...], context: Context
) -> tuple[tuple[ClauseReading, ...], Context]:
    """With a visit there is nothing to pick: a bare number is a change, and an hour may be that of a call."""
    bare = _BARE_PICK.fullmatch(folded)
    if bare:
        number = _NUMBERS.get(bare["number"], 0) or int(bare["number"])
        return _relabelled(clauses, Intent.CHANGE), replace(context, pick=OptionPick(number))
    change = {clause.label for clause in clauses} <= {Intent.CHANGE, Intent.ACK}
    if change and _CALL_ME.search(said) and not _MOVES.search(said):
        return _relabelled(clauses, Intent.CALLBACK), context
    return clauses, context


def _relabelled(clauses: Sequence[ClauseReading], intent: Intent) -> tuple[ClauseReading, ...]:
    return tuple(replace(clause, label=intent, rule=_rule_of(intent), part=PART) for clause in clauses)


def _rule_of(intent: Intent) -> str:
    return f"routine.{intent.value}"


def _joined(folded: str) -> str:
    """Without apostrophes: "i'm" and "im" are one."""
    return folded.replace("'", "")


def _handed(
    text: NormalizedText, clauses: Sequence[ClauseReading], topic: Topic, rule: str
) -> tuple[ClauseReading, ...]:
    """The readings with a topic for the whole message, and without what would have been acted on."""
    kept = (clause for clause in clauses if clause.label not in _BOOKABLE | {Intent.CALLBACK})
    return (*kept, ClauseReading(Span(0, len(text.raw)), topic, _SURE, PART, rule))


def _as_question(clauses: Sequence[ClauseReading]) -> tuple[ClauseReading, ...]:
    return tuple(
        replace(clause, label=Intent.AFFIRM, rule=_rule_of(Intent.AFFIRM), part=PART)
        if clause.label in _ANSWERS_TO_A_QUESTION
        else clause
        for clause in clauses
    )

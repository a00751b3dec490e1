"""Which shipped language a message is surely in, told by its small words: for answers that wait for no interpreter."""

from __future__ import annotations

import re

from treatment_agent.domain.text import NormalizedText

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
# Words of one language only. STOP, OK, no and me are said in both.
_SMALL = {
    "en": frozenset(
        "the i i'm im my is am are was you your yours to and of in it it's its this that these those have has had with"
        " don't dont can't cant cannot won't wont isn't not do does did will would want anymore longer from any"
        " more help breathe breathing swallow bleeding swollen emergency texting text texts unsubscribe remove"
        " please".split()
    ),
    "es": frozenset(
        "el la los las un una de del que en por para con sin mi mis se lo le les su sus es esta estan estoy soy son"
        " ya muy mucho mucha pero porque como cuando puedo puede quiero quieren tengo tiene hay mas alto paren parar"
        " basta cancelar baja ayuda gracias mensajes respirar tragar sangre sangra sangrando emergencia"
        " pare favor".split()
    ),
}


def written_in(text: NormalizedText) -> str | None:
    """`en` or `es`, or None where the words do not tell, as in a bare STOP."""
    words = _WORD.findall(text.folded)
    scores = {code: sum(word in small for word in words) for code, small in _SMALL.items()}
    if scores["en"] == scores["es"]:
        return None
    return max(scores, key=lambda code: scores[code])

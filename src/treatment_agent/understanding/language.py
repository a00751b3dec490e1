"""Says which language a message is in: English, Spanish (or both mixed), another one by its code, or not known."""

from __future__ import annotations

import unicodedata

from treatment_agent.domain.text import NormalizedText
from treatment_agent.policies.canonical import Words

UNKNOWN = "und"
SHIPPED = ("en", "es")
_FEWEST_LETTERS = 4

# Scripts by the first words of a letter's Unicode name.
_SCRIPTS = {
    "CJK": "zh",
    "HIRAGANA": "ja",
    "KATAKANA": "ja",
    "HANGUL": "ko",
    "CYRILLIC": "ru",
    "ARABIC": "ar",
    "HEBREW": "he",
    "DEVANAGARI": "hi",
    "BENGALI": "bn",
    "GURMUKHI": "pa",
    "GUJARATI": "gu",
    "TAMIL": "ta",
    "TELUGU": "te",
    "THAI": "th",
    "LAO": "lo",
    "KHMER": "km",
    "MYANMAR": "my",
    "ETHIOPIC": "am",
    "ARMENIAN": "hy",
    "GEORGIAN": "ka",
    "GREEK": "el",
}

_STOP_WORDS = {
    "en": "the a an i you we my your is are was it this that to of in on at for and or but not no do does did"
    " can could will would have has had be been am with what when how who where please yes ok thanks just"
    " so if me get need want any there here about from by up out don't appointment call text time day know"
    " dont cant wont im ill id ive thats whats okay yeah sure hi hello hey sorry later today tomorrow",
    "es": "el la los las un una de del que y o en a al por para con sin no si es son esta estan estoy soy me mi"
    " se lo le su sus tu te ya muy pero porque como cuando donde quien cual cuanto puedo puede pueden"
    " quiero tengo tiene hay cita gracias hola favor dia hora semana manana tarde despues antes mas todo"
    " nada algo otro otra bien mal",
    "fr": "le la les un une des du de je tu vous nous il elle est et pas ne que qui dans pour sur avec mais mon"
    " ma mes votre bonjour merci oui non rendez rdv puis peux suis ai avez c'est s'il jour heure demain"
    " semaine quand combien parle pas francais dent mal au aux ce cette j'ai je ne plus etre voudrais"
    " pourriez",
    "pt": "o os as um uma de do da dos das e que nao em para com por mas meu minha voce voces eu ele ela esta"
    " estou sou obrigado obrigada ola oi sim quando quanto consulta dia hora amanha semana tenho posso"
    " pode quero muito bom tarde manha dor dente falo portugues isso seu sua",
    "de": "der die das ein eine und ist nicht ich sie wir du mein meine ihr haben habe kann konnen bitte danke"
    " ja nein guten tag morgen termin wann wie wo was mit fur auf zu im am es den dem von aber zahn"
    " schmerzen uhr woche",
    "it": "il lo la gli le un una di che e non per con sono ho hai mi mio mia ciao grazie si buongiorno quando"
    " quanto posso puo vorrei appuntamento domani giorno ora settimana molto dente dolore anche piu della"
    " nel",
    "vi": "toi khong co la va cua cho ban chi anh em duoc muon hen ngay gio nao bao nhieu cam on xin chao den"
    " di lam rang dau nha si noi tieng mot hai tuan sau truoc gi nay mai toi thi voi hay",
    "tl": "ang ng sa na ako ikaw siya kami kayo po opo hindi oo salamat kumusta pwede puwede ba ko mo lang mga"
    " kung kailan saan magkano ngipin masakit bukas araw oras gusto naman dito may wala magandang umaga",
    "ht": "mwen ou li nou yo pa gen nan ak pou sa ki se te ap mesi bonjou tanpri wi non kile konbyen dan fe mal"
    " randevou kapab vle jodi demen semen pale kreyol anpil men",
    "pl": "nie tak jest sie na do w z i to ze jak kiedy gdzie ile prosze dziekuje dzien dobry moge mam wizyta"
    " zab boli jutro godzina mowie po polsku czy ale",
    "tr": "bir ve bu icin evet hayir tesekkur merhaba ne zaman nasil var yok benim dis randevu yarin gun saat lutfen",
    "so": "waa iyo ma aan waxaan haa maya mahadsanid fadlan ilko berri",
    "sw": "na ya wa ni kwa asante tafadhali ndiyo hapana habari jino kesho saa siku",
    "id": "saya anda tidak ya dan yang di ke dari untuk dengan bisa terima kasih gigi sakit besok hari jam"
    " kapan berapa",
    "ro": "este si nu un o de la cu pentru multumesc buna ziua cand cat dinte doare maine programare am sunt",
}


class LanguageGuesser:
    """Guesses by script, then by the frequent words of each language."""

    def __init__(self) -> None:
        self._words = {code: frozenset(listed.split()) for code, listed in _STOP_WORDS.items()}

    def guess(self, text: NormalizedText, words: Words, known: int, usual: str = "en") -> str:
        """The language of a message.

        Args:
            text: The message.
            words: Its canonical words.
            known: How many of the words the English and Spanish lists hold.
            usual: The language of the conversation: what "2" or "ok" is taken for, which is said in both.

        Returns:
            `en`, `es`, another ISO 639-1 code, or `und` when the words are many and known to no list.
        """
        script = _script(text)
        if script:
            return script
        tokens = [token for token in _letters_only(text.folded).split() if token]
        usual = usual if usual in SHIPPED else "en"
        if not tokens:
            return usual
        scores = {code: sum(token in listed for token in tokens) for code, listed in self._words.items()}
        ours = scores["en"] + scores["es"]
        other = max((code for code in scores if code not in SHIPPED), key=lambda code: (scores[code], code))
        total = max(len(words), 1)
        if len(tokens) >= 3 and scores[other] > max(scores["en"], scores["es"]) and known < total * 0.8:
            return other
        if len(tokens) >= 4 and known * 3 < total and ours == 0:
            return UNKNOWN
        if len(tokens) >= 2 and known == 0 and scores[other] >= 2:
            return other
        if scores["es"] == scores["en"]:
            return usual
        return "es" if scores["es"] > scores["en"] else "en"


def _script(text: NormalizedText) -> str:
    """The language of a script that is not Latin, when it makes up most of the letters."""
    counts: dict[str, int] = {}
    latin = 0
    for char in text.text[:2000]:
        if char < "\u0250":
            latin += char.isalpha()
            continue
        if not char.isalpha():
            continue
        name = unicodedata.name(char, "").split()
        if name and name[0] == "LATIN":
            latin += 1
            continue
        code = _SCRIPTS.get(name[0], UNKNOWN) if name else UNKNOWN
        counts[code] = counts.get(code, 0) + 1
    if not counts or sum(counts.values()) * 2 < latin:
        return ""
    return "ja" if "ja" in counts else max(counts, key=lambda code: counts[code])


def _letters_only(text: str) -> str:
    return "".join(char if char.isalpha() or char == "'" else " " for char in text)

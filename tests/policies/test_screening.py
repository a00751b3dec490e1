from __future__ import annotations

import pytest

from treatment_agent.domain.text import normalize
from treatment_agent.policies.screening import screen

REVOCATIONS = """STOP|Stop.|stop!!|STOPALL|stop all|UNSUBSCRIBE|unsubscibe|unsuscribe|Cancel|END|end|QUIT|Quit|REVOKE
OPTOUT|opt out|stp|stpo|st0p|s t o p|S.T.O.P|stopppp|STOP STOP STOP|stop please|please stop|pls stop
plz stop|stop it|stop now|just stop|\U0001f6d1|\u26d4|stop texting me|Stop texting me please
stop txting me|stop textin me|quit texting me|quit texting|stop messaging me|stop contacting me
stop sending me texts|stop sending these|stop with the texts|stop all texts|stop these messages
stop the messages|stop emailing me|stop bothering me|quit bothering me|stop sending me stuff
stop this|stop that|could you stop with the texts|can you stop texting me
would you please stop texting|i said stop|i want you to stop texting me
please stop all communication|cease all contact|please discontinue these messages
discontinue text messages|halt all messages|dont text me|don't text me anymore|do not text me
do not text this number|don't ever text me again|never text me again|do not contact me
do not contact me again|don't contact me anymore|dont msg me|don't message me|no longer contact me
I don't want these texts|i dont want texts|I do not want to receive texts
I do not wish to receive messages from your office|I no longer wish to receive text messages
no longer want these messages|i don't want to get texts|i dont want any more messages
not interested please remove me|not interested stop texting|not interested, stop|wrong person stop
no thanks stop|no more texts|no more messages please|no more reminders|no more emails
no more of these|no further messages|no further contact|no additional texts please|text me no more
remove me|remove me please|remove me from your list|please remove me from this list|remove my number
remove my number from your system|remove me from your texts|take me off|take me off your list
take me off ur list|take me off this list please|take my number off your list|take this number off
take my name off your list|get me off this list|please take me off the texting list
can you take me off these texts|delete my number|delete my number please|lose my number
lose this number|forget my number|I want off this list|i would like off this list
I'd like to be removed from this list|I would like to be taken off the messaging list
can i be removed from these|wish to be removed from this service|I want to opt out|opt me out
opting out|please opt me out|i opt out|unsub|unsub me|unsubscribe me|please unsubscribe
how do i unsubscribe|i want to unsubscribe|I revoke my consent|I withdraw my consent
revoking permission to text me|I withdraw permission to be contacted by text
i no longer consent to texts|cancel texts|cancel messages|end messages|turn off these texts
cancel my text reminders|turn off notifications|end texts|leave me alone|leave me alone please
quit sending me these|quit it with these|quit with the texts|enough with the texts
knock it off with the texts|cut it out with these messages|block me from these texts
im blocking this number|i will block you|don't send me any more of these|dont send me anything
do not send me anything else|please don't send any more|stop sendng me msgs
you can stop texting me now|you don't need to text me again|no need to text anymore
i dont need reminders|these texts need to stop|this has to stop|texts must stop|go away
unsubscribe me from everything|put me on your do not contact list|dnc|stop spamming me
stop blowing up my phone|ALTO|PARAR|BAJA|no mas mensajes|no m\u00e1s mensajes|no mas
ya no mas mensajes|dejen de escribirme|deje de escribirme|dejen de mandarme mensajes
deje de mandarme mensajes|deja de mandarme mensajes|paren de mandar mensajes|ya no me escriban
ya no me manden mensajes|no me escriban mas|no me escriba|no me manden mensajes
no me mande mas mensajes|no me contacten|no quiero mensajes|no quiero m\u00e1s mensajes
ya no quiero recibir mensajes|no deseo recibir mensajes|quiteme de la lista
qu\u00edtenme de su lista|saquenme de la lista|b\u00f3rrenme de su lista|borre mi numero
elimine mi n\u00famero|quiero darme de baja|denme de baja|dejenme en paz|cancelar mensajes
detengan los mensajes|paren los mensajes|no envien mas mensajes|no me env\u00eden mas textos
favor de no enviar mensajes|no mas texts|stop mensajes|ya no quiero que me escriban
retiro mi consentimiento|ya paren con los mensajes"""

NOT_REVOCATIONS = """can I stop by tuesday|I'll stop in tomorrow|could I stop by the office to look at times
we can stop by around 3|the pain stopped|it stopped hurting|my tooth won't stop hurting
the bleeding won't stop|it wont stop please help|I can't stop the bleeding
is there a bus stop nearby|are you by the stop light|next to the stop sign|what stop do I get off at
should I stop taking my blood thinner|I had to stop at the store|stopped by yesterday and booked
end of next week|at the end of the month|the weekend is best|I can't quit my job lol|I quit smoking
cancel my appointment please|can I cancel Tuesday|I need to cancel my appointment
no more appointments on friday?|I'll be off work|I don't text much, please call|I can't text at work
I didn't get your text|no|no thanks|yes|ok|start|it doesn't bother me|that tooth never bothers me
I don't want to be here anymore|I don't want to live anymore|I lost your number
take me in the morning|remove the filling?|no puedo ir|no me duele|quiero cancelar mi cita
no me llego el enlace|la parada del bus|no para de sangrar|no deja de doler
I was told to stop eating before|non stop meetings|put me on the calendar|can you take me earlier
block off an hour for me|I'll block out the time|1|2"""

EMERGENCIES = """my face is swelling up and I have a fever|I can't stop the bleeding|its been bleeding for 3 hours
it won't stop bleeding|blood everywhere|my mouth is full of blood|gauze is soaked through
trouble breathing|i cant breathe|hard to swallow|can't swallow my spit|my throat is closing
swelling is spreading to my eye|my eye is swollen shut|whole side of my face blew up|fever of 103
i have a fever and chills|got my tooth knocked out|my son fell and his tooth came out
tooth knocked out playing basketball|hit in the mouth with a bat|car accident, teeth are broken
I think my jaw is broken|worst pain of my life|the pain is unbearable|pain is 10 out of 10
I can't take the pain anymore|allergic reaction to the antibiotic|hives all over after the pills
my tongue is swelling|lips are swelling after the shot|this is an emergency
I'm in the ER with my tooth|took way too many ibuprofen|chest pain and jaw pain
emergancy please call|i am bleding a lot|my cheek is swolen and hot with fever
me sangra mucho y no para|no para de sangrar|no puedo respirar|me cuesta tragar
tengo la cara hinchada y fiebre|se me hincho el ojo|tengo calentura y dolor
se me cayo un diente de un golpe|mi hijo se golpe\u00f3 la boca|dolor insoportable
no aguanto el dolor|es una emergencia|tengo ronchas por el antibiotico
estoy en urgencias por la muela|se me hinchan los labios"""

NOT_EMERGENCIES = """family emergency need to reschedule|I had an emergency at work|emergency at my job, can we move it
is this an emergency line|is this an emergency contact number|not an emergency|no es una emergencia
tuve una emergencia familiar|emergencia en el trabajo|no fever|no swelling or fever
this month is murder on me|work is killing me|I'm dying to get this done
I work at the hospital until 5|I'm a nurse in the er so mornings only|my dog is at the emergency vet
I nearly fainted when I saw the price|by accident I deleted your text|bleeding money this month
my car was hit on the hour|Tuesday works|I'll fall behind at work|baseball practice at 5
it's burning a hole in my wallet|how much is it|my temporary crown fell off|see you today
can I be late|my calendar is bleeding red"""


def lines(block: str) -> list[str]:
    return [text for row in block.splitlines() for text in row.split("|")]


class TestOptOut:
    def test_knows_at_least_150_wordings(self) -> None:
        assert len(set(lines(REVOCATIONS))) >= 150

    @pytest.mark.parametrize("text", lines(REVOCATIONS))
    def test_finds_a_revocation_in_any_wording(self, text: str) -> None:
        found = screen(normalize(text)).opt_out

        assert found is not None
        assert found.rule.startswith("opt_out.")
        assert found.span.of(text)

    @pytest.mark.parametrize("text", lines(NOT_REVOCATIONS))
    def test_leaves_other_uses_of_the_words_alone(self, text: str) -> None:
        assert screen(normalize(text)).opt_out is None

    def test_tells_a_bare_cancel_apart_by_its_rule(self) -> None:
        found = screen(normalize("CANCEL")).opt_out

        assert found is not None
        assert found.rule == "opt_out.keyword-cancel"

    def test_a_reaction_that_quotes_our_text_is_no_revocation(self) -> None:
        text = "Liked \u201cHi Anna, this is Maple Dental. Reply STOP to opt out.\u201d"

        assert screen(normalize(text)).opt_out is None


class TestEmergency:
    @pytest.mark.parametrize("text", lines(EMERGENCIES))
    def test_finds_an_emergency(self, text: str) -> None:
        found = screen(normalize(text)).emergency

        assert found is not None
        assert found.rule.startswith("emergency.")

    @pytest.mark.parametrize("text", lines(NOT_EMERGENCIES))
    def test_leaves_harmless_phrases_alone(self, text: str) -> None:
        assert screen(normalize(text)).emergency is None

    def test_finds_both_an_emergency_and_a_revocation(self) -> None:
        found = screen(normalize("stop texting me, my face is swelling shut"))

        assert found.emergency is not None
        assert found.opt_out is not None


class TestKeywords:
    @pytest.mark.parametrize("text", ["START", "unstop", "Start.", "ALTA"])
    def test_start_as_the_whole_message_is_an_opt_in(self, text: str) -> None:
        assert screen(normalize(text)).opt_in is not None

    @pytest.mark.parametrize("text", ["yes", "YES", "si", "start at 9 please", "I start work at 8"])
    def test_yes_and_start_inside_a_sentence_are_not(self, text: str) -> None:
        assert screen(normalize(text)).opt_in is None

    @pytest.mark.parametrize("text", ["HELP", "info", "Help!", "ayuda"])
    def test_help_as_the_whole_message(self, text: str) -> None:
        assert screen(normalize(text)).help is not None

    def test_help_inside_a_sentence_is_not(self) -> None:
        assert screen(normalize("help me pick a time")).help is None

    def test_a_picture_without_words_is_media_only(self) -> None:
        assert screen(normalize(" "), media=1).media_only
        assert not screen(normalize("look"), media=1).media_only
        assert not screen(normalize(""), media=0).media_only

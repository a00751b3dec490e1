"""`Coordinator`: the one object a developer holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime

from treatment_agent.coordinator import enrolling, measuring, reading
from treatment_agent.coordinator.adapters import Tools
from treatment_agent.coordinator.answers import EnrolmentReport, Preview, RunReport, SentText, TurnOutcome, Why
from treatment_agent.coordinator.control import OfficeControl
from treatment_agent.coordinator.deciding import Deciding
from treatment_agent.coordinator.desk import Escalations
from treatment_agent.coordinator.drafting import Drafting
from treatment_agent.coordinator.gates import Gates
from treatment_agent.coordinator.inbox import Inbox
from treatment_agent.coordinator.outbox import Outbox
from treatment_agent.coordinator.running import Runner
from treatment_agent.coordinator.shadow import in_shadow, shadowed
from treatment_agent.coordinator.telling import Telling
from treatment_agent.coordinator.turns import Ports, Turns
from treatment_agent.domain.books import ConversationRow, Tally
from treatment_agent.domain.consent import ConsentNote
from treatment_agent.domain.events import (
    BookingSettled,
    ChartChange,
    ChartChanged,
    DeliveryReported,
    Event,
    StaffAction,
    StaffVerb,
    TouchDue,
)
from treatment_agent.domain.handoff import HandoffPacket, NextStep
from treatment_agent.domain.measures import Measures
from treatment_agent.domain.messages import DeliveryReport, InboundMessage
from treatment_agent.domain.scheduling import BookingStatus
from treatment_agent.errors import ConfigurationError, NotFound
from treatment_agent.graph.build import Graph, build_graph
from treatment_agent.graph.state import fresh
from treatment_agent.ledger.checkpoints import close_saver, open_saver
from treatment_agent.ledger.sql_ledger import SqlLedger
from treatment_agent.policies import boundary
from treatment_agent.policies.practice import PracticePolicy
from treatment_agent.ports import CaseSource, Clock, Interpreter, Ledger
from treatment_agent.tools.clock import SystemClock
from treatment_agent.tools.enrolled_chart import EnrolledChart
from treatment_agent.understanding.union import beside_local

_PLAIN = ConsentNote()


class Coordinator(OfficeControl):
    """Follows up with patients whose treatment was never scheduled; see the package docstring for an example.

    Args:
        policy: The office's decisions. Checked at once; `PolicyError` lists every mistake with place and fix.
        tools: Scheduler, messenger, and optionally chart and staff desk.
        ledger: A database URL (`sqlite:///practice.db`, `postgresql+psycopg://...`) or a `Ledger`.
        interpreter: Stands beside the local one, whose handoffs stay; it never writes a word that a patient reads.
        clock: Where time comes from; the system clock by default.
        checkpoints: Database URL of the LangGraph checkpoints when `ledger` is no URL.
        shadow: True records what would be sent and booked, and lets nothing leave; None goes on as the ledger is kept.

    All methods are synchronous and safe to call from several threads and processes on one ledger.
    """

    def __init__(
        self,
        *,
        policy: PracticePolicy,
        tools: Tools,
        ledger: str | Ledger = "sqlite:///practice.db",
        interpreter: Interpreter | None = None,
        clock: Clock | None = None,
        checkpoints: str | None = None,
        shadow: bool | None = None,
    ) -> None:
        policy.validate_all()
        self.policy = policy
        self.clock: Clock = clock or SystemClock()
        self.ledger: Ledger = SqlLedger(ledger) if isinstance(ledger, str) else ledger
        self._remember_policy()
        self.shadow = in_shadow(self.ledger, shadow, now=self.clock.now())
        self.tools = tools = shadowed(tools) if self.shadow else tools
        self._saver = open_saver(checkpoints or (ledger if isinstance(ledger, str) else "sqlite://"))
        self.graph: Graph = build_graph(self._saver)
        self._gates = Gates(policy, self.ledger, self.clock, live_chart=tools.chart is not None, shadow=self.shadow)
        chart = tools.chart or EnrolledChart()
        self.interpreter: Interpreter = beside_local(interpreter, policy.baa_on_file)
        self._deciding = Deciding(policy, self.interpreter, tools.scheduler, chart, self.graph)
        self._ports = Ports(
            chart=chart,
            desk=tools.desk,
            ledger=self.ledger,
            clock=self.clock,
            outbox=Outbox(policy, tools.messenger, self.ledger, self.clock, chart, self._gates),
            gates=self._gates,
        )
        self._turns = Turns(ports=self._ports, deciding=self._deciding, saver=self._saver)
        self._inbox = Inbox(ledger=self.ledger, turns=self._turns, clock=self.clock)
        telling = Telling(tools.desk, self.ledger, self.clock)
        self._drafting = Drafting.of(tools.drafter, policy, self._deciding, telling)
        escalations = Escalations(policy, self.ledger, self.clock, telling)
        self._runner = Runner(policy, tools.scheduler, self.ledger, self.clock, self._inbox, self._gates, escalations)

    def _remember_policy(self) -> None:
        key = f"{self.policy.id}/{self.policy.version}"
        digest = self.policy.digest
        if self.ledger.remember_policy(key, digest, at=self.clock.now()) != digest:
            raise ConfigurationError(
                f"policy {key}: this ledger has decisions made under the same id and version with other content; "
                "give the changed policy a new `version`, for example '2'"
            )

    # -- the work list

    def enroll(
        self, source: CaseSource, *, partial: bool = False, progress: Callable[[int], None] | None = None
    ) -> EnrolmentReport:
        """Read a source and put its cases on the books; safe to repeat with a newer export.

        The source is the whole list: a case it does not name any more is on hold until a later one does. Say `partial`
        if it is only some of the cases, such as those of one day or one location.
        """
        policy, ledger, clock, told = self.policy, self.ledger, self.clock, progress
        return self._gates.reading(
            lambda: enrolling.enroll(source, policy=policy, ledger=ledger, clock=clock, partial=partial, progress=told)
        )

    def work_list(self, *, limit: int | None = None) -> Iterator[ConversationRow]:
        """Every case, best score first; skipped ones last with the rule that skipped them."""
        return self.ledger.work_list(limit=limit)

    def run_due(self, *, limit: int = 1000) -> RunReport:
        """Finish what a crash or a broken desk left, escalate late handoffs, then handle due touches, best score first.

        One conversation's trouble does not stop the others; it is listed in `failed` and taken up by the next run. What
        the office's limits hold back is counted in `held_back` and stays due.
        """
        report = self._runner.run(limit=limit, failed=self.resume())
        self.draft_summaries()
        return report

    def resume(self) -> tuple[str, ...]:
        """Finish turns and texts that a crash left, and show the desk the handoffs it refused.

        Returns the conversations that are still busy elsewhere, or that the desk still does not take.
        """
        return self._turns.resume()

    def preview(self, patient_id: str) -> Preview:
        """The exact texts the next touch would send if it were due now. Nothing is sent or stored."""
        return self.preview_conversation(self._conversations(patient_id)[0])

    def preview_conversation(self, conversation_id: str) -> Preview:
        """As `preview`, for one conversation."""
        now = self.clock.now()
        facts = self.ledger.facts(conversation_id, at=now)
        due_at = facts.conversation.due_at
        facts = replace(facts, conversation=replace(facts.conversation, due_at=now if due_at else None))
        event = TouchDue(id="preview", at=now, step=facts.conversation.step)
        context = self._deciding.context(facts, None, now=now)
        state = build_graph().invoke(fresh(event, facts), context=context)
        record, after = state["turn"], state["conversation"]
        checked = boundary.check(record.sends, before=facts, after=after, consent=None, policy=self.policy, now=now)
        texts = (SentText(m.script_id, m.body, m.channel, m.language, "preview") for m in checked.messages)
        return Preview(conversation_id, record.rules, tuple(texts), due_at)

    # -- what comes in

    def receive(self, message: InboundMessage) -> TurnOutcome:
        """Handle a patient's text, once per `message.id`, however often the provider delivers it."""
        return self._inbox.receive(message)

    def delivery(self, report: DeliveryReport) -> TurnOutcome | None:
        """Take a provider's status callback; None when the text is not ours."""
        row = self.ledger.find_sent(report.provider_message_id)
        if row is None:
            return None
        self._ports.outbox.delivered(row, report)
        event = DeliveryReported(
            id=report.id,
            at=report.reported_at,
            send_key=row.message.key,
            status=report.status,
            error_code=report.error_code,
            opted_out=report.opted_out,
        )
        outcome = self._inbox.take(row.message.conversation_id, event)
        if not outcome.duplicate:
            self._gates.carrier_said(report.error_code)
        return outcome

    def settle_booking(
        self, booking_key: str, status: BookingStatus, *, appointment_id: str | None = None
    ) -> TurnOutcome:
        """The system of record answered a requested booking. `booking_key` is `Booking.key`."""
        event = BookingSettled(
            id=f"settled:{booking_key}:{status.value}",
            at=self.clock.now(),
            booking_key=booking_key,
            status=status,
            appointment_id=appointment_id,
        )
        return self._inbox.take(booking_key.partition(":")[0], event)

    def chart_changed(
        self, patient_id: str, change: ChartChange, *, visit_at: datetime | None = None, event_id: str | None = None
    ) -> TurnOutcome:
        """Something happened in the chart: booked by phone, done, declined, deceased, staff spoke to the patient.

        Every conversation about the patient takes it in; the newest one's outcome is returned. Give `event_id` (your
        system's id of the change) so that a repeated notice counts once.
        """
        first, now = event_id or self.clock.new_id(), self.clock.now()
        newest, *others = self._conversations(patient_id)
        for other in others:
            self._inbox.take(other, ChartChanged(id=f"{first}:{other}", at=now, change=change, visit_at=visit_at))
        return self._inbox.take(newest, ChartChanged(id=first, at=now, change=change, visit_at=visit_at))

    # -- staff

    def take_over(self, conversation_id: str, *, by: str) -> TurnOutcome:
        """Staff take the conversation; the coordinator is silent until it is released."""
        return self._staff(conversation_id, StaffVerb.TAKE_OVER, by)

    def acknowledge(self, conversation_id: str, *, by: str) -> TurnOutcome:
        """Staff have seen the handoff."""
        return self._staff(conversation_id, StaffVerb.ACKNOWLEDGE, by)

    def resolve(self, conversation_id: str, *, by: str) -> TurnOutcome:
        """Staff have dealt with it; the conversation stays theirs until released."""
        return self._staff(conversation_id, StaffVerb.RESOLVE, by)

    def release(
        self, conversation_id: str, *, by: str, next: NextStep = NextStep.RESUME, until: date | None = None
    ) -> TurnOutcome:
        """Staff let go and say what happens next; with `until`, nothing is sent before that day."""
        return self._staff(conversation_id, StaffVerb.RELEASE, by, next=next, until=until)

    def staff_booked(self, conversation_id: str, *, by: str, visit_at: datetime | None = None) -> TurnOutcome:
        """Staff booked the visit themselves."""
        return self._staff(conversation_id, StaffVerb.BOOK, by, visit_at=visit_at)

    def close_case(self, conversation_id: str, *, by: str) -> TurnOutcome:
        """Staff end the follow-up."""
        return self._staff(conversation_id, StaffVerb.CLOSE, by)

    def record_consent(self, conversation_id: str, *, by: str, note: ConsentNote = _PLAIN) -> TurnOutcome:
        """Staff record that the patient agreed to texts (and lifts an earlier revocation of theirs)."""
        return self._staff(conversation_id, StaffVerb.RECORD_CONSENT, by, note=note)

    def record_revocation(self, conversation_id: str, *, by: str, note: ConsentNote = _PLAIN) -> TurnOutcome:
        """Staff record that the patient wants no texts, said in any way; it binds everybody on the same number."""
        return self._staff(conversation_id, StaffVerb.RECORD_REVOCATION, by, note=note)

    def _staff(self, conversation_id: str, verb: StaffVerb, by: str, **more: object) -> TurnOutcome:
        fields = {"id": self.clock.new_id(), "at": self.clock.now(), "verb": verb, "by": by, **more}
        return self._inbox.take(conversation_id, StaffAction.model_validate(fields))

    # -- reading

    def handoffs(self, *, open_only: bool = True) -> tuple[HandoffPacket, ...]:
        """Handoffs and tasks, most urgent first."""
        return self.ledger.handoffs(open_only=open_only)

    def why(self, patient_id: str) -> Why:
        """Everything done and not done about a patient, each with the rule behind it."""
        return reading.why(self.ledger, patient_id)

    def report(self, *, since: datetime | None = None, until: datetime | None = None) -> Tally:
        """The funnel of the cases entered in `[since, until)`."""
        return self.ledger.tally(since=since, until=until)

    def measure(self, *, since: datetime | None = None, until: datetime | None = None) -> Measures:
        """Rates, times, money and comparisons of the cases entered in `[since, until)`, with counts and intervals."""
        return measuring.measure(self.ledger, self.policy, self.clock.now(), since=since, until=until)

    def take(self, conversation_id: str, event: Event) -> TurnOutcome:
        """Handle any event; the methods above are made of it."""
        return self._inbox.take(conversation_id, event)

    def close(self) -> None:
        """Let go of files and connections."""
        self.ledger.close()
        close_saver(self._saver)

    def _conversations(self, patient_id: str) -> tuple[str, ...]:
        ids = self.ledger.conversation_ids_of_patient(patient_id)
        if not ids:
            raise NotFound(f"no patient {patient_id!r} in this ledger; check the id, or enroll the list first")
        return ids

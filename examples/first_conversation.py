"""One patient, from the practice's export to a booked visit and a handoff. Needs no key and no network."""

from treatment_agent import CsvCaseSource
from treatment_agent.demo.sample import sample_office

office = sample_office()  # policy, calendar, messenger and clock of an invented practice, in memory
report = office.coordinator.enroll(CsvCaseSource(office.export))
print(f"{report.enrolled} on the books, skipped {report.skipped}, rejected {[str(row) for row in report.rejected]}")
office.next_morning()  # the first touch falls due
print(office.last_text())
for words in ("do you have anything next friday morning?", "1 please", "will it hurt?"):
    outcome = office.text_from_ana(words)
    print(f"\n> {words}\n[{outcome.phase_before} -> {outcome.phase_after}, rule {outcome.rules[0]}]")
    print(office.last_text())

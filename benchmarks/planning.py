"""Plan many cases (eligibility, score, first due time), against sorting the same cases; each in its own process."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

from benchmarks.results import Result, peak_megabytes


def measure(*, quick: bool = False) -> Result:
    """Run both in fresh processes, so that each has its own peak memory."""
    count = 2_000 if quick else 100_000
    ours, theirs = _child("plan", count), _child("sort", count)
    return Result(
        title=f"Plan {count:,} cases: eligibility, score, first due time, ranked",
        columns=("", "CPU seconds", "peak memory", "eligible"),
        rows=(
            ("plan", f"{ours[0]:.2f}", f"{ours[1]:.0f} MB", f"{ours[2]:,.0f}"),
            ("sort the same cases by date and value", f"{theirs[0]:.2f}", f"{theirs[1]:.0f} MB", ""),
            ("ratio", f"{ours[0] / max(theirs[0], 1e-9):.1f}x", "", ""),
        ),
        note="Aims for 100,000 cases: 6 s and 300 MB. CPU time of one core, without making the cases.",
    )


def _child(task: str, count: int) -> tuple[float, float, float]:
    run = subprocess.run(
        [sys.executable, "-m", "benchmarks.planning", task, str(count)],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    seconds, megabytes, eligible = json.loads(run.stdout)
    return seconds, megabytes, eligible


def _batches(count: int) -> Iterator[list[object]]:
    """The benchmark's cases, a thousand at a time, as a source hands them on."""
    from benchmarks import office
    from treatment_agent.domain.patients import Patient, Permission
    from treatment_agent.domain.private import PhoneNumber
    from treatment_agent.domain.treatment import Case, Procedure

    chance, batch = random.Random(7), list[object]()
    for number in range(count):
        visit = office.TODAY - timedelta(days=chance.randint(1, 400))
        procedures = tuple(
            Procedure(
                id=f"{number}-{n}",
                code=chance.choice(office.CODES),
                tooth=str(chance.randint(2, 31)),
                fee_cents=chance.randint(15_000, 300_000),
                provider_id="lee",
                diagnosed_on=visit,
                plan_priority=chance.choice(("", "1", "wait")),
            )
            for n in range(chance.randint(1, 3))
        )
        patient = Patient(
            id=f"P-{number}",
            first_name="Ana",
            mobile=PhoneNumber(office.phone_of(number)),
            sms=Permission.YES if chance.random() > 0.1 else Permission.NO,
        )
        batch.append(Case(id=f"case-{number}", patient=patient, procedures=procedures, visit_on=visit))
        if len(batch) == 1000:
            yield batch
            batch = []
    if batch:
        yield batch


def _plan(count: int) -> tuple[float, int]:
    from benchmarks import office
    from treatment_agent.domain.treatment import Case
    from treatment_agent.policies import cadence, queue

    policy, ranked, seconds = office.policy(), [], 0.0
    for batch in _batches(count):
        began = time.process_time()
        for case in batch:
            assert isinstance(case, Case)
            found = queue.assess(case, policy, office.MORNING)
            if found.eligible:
                ranked.append((-found.score, case.id, cadence.first_due(case, policy, office.MORNING)))
        seconds += time.process_time() - began
    began = time.process_time()
    ranked.sort()
    assert 0 < len(ranked) < count, "some are eligible and some are not"
    return seconds + time.process_time() - began, len(ranked)


def _sort(count: int) -> tuple[float, int]:
    from treatment_agent.domain.treatment import Case

    keys, seconds = [], 0.0
    for batch in _batches(count):
        began = time.process_time()
        keys += [(c.diagnosed_on, c.value_cents, c.id) for c in batch if isinstance(c, Case)]
        seconds += time.process_time() - began
    began = time.process_time()
    keys.sort(reverse=True)
    return seconds + time.process_time() - began, 0


if __name__ == "__main__":
    job, size = sys.argv[1:]
    taken, number = (_plan if job == "plan" else _sort)(int(size))
    sys.stdout.write(json.dumps((taken, peak_megabytes(), number)))

"""The cadence as data: steps with delay, hour, channel and script, and other steps for other ages or families."""

from __future__ import annotations

from datetime import time

from pydantic import Field

from treatment_agent.domain.messages import Channel
from treatment_agent.domain.treatment import Family
from treatment_agent.domain.value import Value


class Step(Value):
    """One touch of the cadence: `after_days` counts from the visit (first step) or from the touch before.

    `at` is in the office's zone. With `offers_times` two openings are looked for and the text may name them; without
    it the text goes as it is.
    """

    after_days: int = Field(ge=0)
    at: time = time(10)
    script_id: str
    channel: Channel = Channel.SMS
    offers_times: bool = True


class CadenceVariant(Value):
    """Other steps for some cases. Empty `families` mean all; the age is days since the diagnosis, half-open.

    A case fits when its visit is of one of the families and its diagnosis is at least `from_age_days` and less than
    `until_age_days` old when it is first written to. Who has no date fits only a variant without ages.
    """

    families: tuple[Family, ...] = ()
    from_age_days: int = Field(default=0, ge=0)
    until_age_days: int | None = None
    steps: tuple[Step, ...]
    review_after_days: int = Field(default=7, ge=0)


class Cadence(Value):
    """When we write first. After the last step plus `review_after_days` without an answer: human review.

    A diagnosis older than `stale_after_days` gets the `-stale` variant of a text, where the office has one. A deferral
    wakes with `wake_script_id`. The first of `variants` that fits a case replaces steps and review.
    """

    steps: tuple[Step, ...] = (
        Step(after_days=1, script_id="first-message"),
        Step(after_days=4, script_id="reminder-1"),
        Step(after_days=12, script_id="reminder-2"),
    )
    review_after_days: int = 7
    stale_after_days: int = 60
    wake_script_id: str = "wake"
    variants: tuple[CadenceVariant, ...] = ()

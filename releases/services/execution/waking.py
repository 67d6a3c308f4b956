"""Nobody is sent to a function that is not ready: one that sleeps is woken, one that is being updated waited for."""

import time
from collections.abc import Callable

from aws import functions
from aws.accounts import Purpose
from releases.domain.observed.reality import Reality, is_waking
from releases.domain.plans.guard import Expectation
from releases.domain.traffic import Color
from releases.models import Service
from releases.services.execution.accounts import access
from releases.services.execution.realities import read_reality

# Lambda wakes an inactive function in seconds, one with an image or in a VPC sometimes in more than a minute:
# https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
PATIENCE_SECONDS = 180
PAUSE_SECONDS = 1.0


def read_awake(
    service: Service, expectation: Expectation, *, should_stop: Callable[[], str | None]
) -> Reality:
    """What is real once the colours that gain traffic are awake, or will not be; raises ``AwsError``."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    reality = read_reality(service)
    while (colors := is_waking(expectation, reality)) and time.monotonic() < deadline and not should_stop():
        for color in colors:
            _wake(service, reality, color)
        time.sleep(PAUSE_SECONDS)
        reality = read_reality(service)
    return reality


def _wake(service: Service, reality: Reality, color: Color) -> None:
    real = reality.color(color)
    if real.state == "Inactive":
        functions.wake(access(service, Purpose.WRITE), real.function_name)

"""The functions' log groups: Lambda makes one with a function's first line of log, if it is not there."""

from releases.domain.plans.expectation import Expectation
from releases.domain.traffic import Color, Transition


def newly_managed(expectation: Expectation) -> dict[str, str]:
    """The groups that a plan is the first to manage, by their addresses in the module, with their names.

    What is there of them has to be imported: made anew, AWS would refuse it.
    """
    settings = expectation.settings
    is_first = expectation.transition is Transition.SET_UP or (
        settings is not None and settings.before.log_retention_days is None
    )
    return changed(expectation) if is_first else {}


def changed(expectation: Expectation) -> dict[str, str]:
    """The groups that keep logs for another time after the transition, likewise."""
    settings, blueprint = expectation.settings, expectation.blueprint
    if settings is None or blueprint is None or settings.after.log_retention_days is None:
        return {}
    is_same = settings.before.log_retention_days == settings.after.log_retention_days
    if is_same and expectation.transition is not Transition.SET_UP:
        return {}
    return {
        f"aws_cloudwatch_log_group.{color}[0]": f"/aws/lambda/{blueprint.function_name(color)}"
        for color in Color
    }

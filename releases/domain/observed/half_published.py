"""A function whose update was interrupted before a version of it was published (FAULTS W5a).

Terraform sees nothing to do then: the function is what it shall be, its newest version is the one before, and the alias
leads to that.
"""

from releases.domain.observed.reality import ColorReality, Reality
from releases.domain.plans.expectation import Expectation
from releases.domain.traffic import Color, changed_colors


def half_published(expectation: Expectation, reality: Reality) -> tuple[Color, ...]:
    """The colours that the transition changes and whose function is as wanted, while none of its versions is."""
    changed = changed_colors(expectation.transition, expectation.before)
    return tuple(
        color
        for color in Color
        if color in changed and _is_half_published(color, expectation, reality.color(color))
    )


def _is_half_published(color: Color, expectation: Expectation, real: ColorReality) -> bool:
    after = expectation.after
    wanted = after.version_of(color).digest, expectation.configuration(after, color)
    served = real.alias_digest, real.alias_configuration
    latest = real.latest_digest, real.configuration
    return latest == wanted != served and real.alias_version == real.newest_version

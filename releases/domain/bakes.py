"""The bake times of single steps, in seconds: how long each is left alone before the next one may go on."""

import re
from collections.abc import Collection, Mapping

from releases.domain.errors import InvalidRolloutPlan

LONGEST_BAKE_SECONDS = 86_400
MOST_BAKES = 21
"""As many as a plan has steps that bake: the canary, and the most shifts."""

_SECONDS = re.compile(r"[0-9]{1,5}")
_RANGE = f"A bake time is a whole number of seconds from 0 to {LONGEST_BAKE_SECONDS}."


def parse_bakes(texts: Mapping[str, str]) -> dict[str, int]:
    """The bake times from what was typed for each step, by its key; an empty one says nothing.

    Raises InvalidRolloutPlan with a message for the form.
    """
    given = {key: text.strip() for key, text in texts.items() if text.strip()}
    if len(given) > MOST_BAKES or not all(_SECONDS.fullmatch(text) for text in given.values()):
        raise InvalidRolloutPlan("rollout:bake", _RANGE)
    bakes = {key: int(text) for key, text in given.items()}
    check_bakes(bakes, bakes)
    return bakes


def check_bakes(bakes: Mapping[str, int], baking: Collection[str]) -> None:
    """Raise InvalidRolloutPlan if a time is too long, or is of a step that is not among those that bake."""
    if not all(0 <= seconds <= LONGEST_BAKE_SECONDS for seconds in bakes.values()):
        raise InvalidRolloutPlan("rollout:bake", _RANGE)
    unknown = set(bakes) - set(baking)
    if unknown:
        names = ", ".join(sorted(unknown))[:200]
        raise InvalidRolloutPlan("rollout:bake", f"This plan has no step that could bake: {names}.")

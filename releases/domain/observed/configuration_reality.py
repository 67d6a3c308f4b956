"""What a function really runs its image with, beside what is wanted: both in the clear, and no variable is told."""

from collections.abc import Iterator

from releases.domain.versions.configuration import Configuration
from releases.domain.versions.configuration_words import changes
from releases.domain.versions.environment import differing_names

Row = tuple[str, str, str]
"""What differs, what is expected, what was found."""


def configuration_rows(place: str, wanted: Configuration, real: Configuration) -> Iterator[Row]:
    """Where they differ. ``place`` is "blue's function" or the like."""
    for change in changes(_without_environment(wanted), _without_environment(real)):
        yield f"{change.name} of {place}", change.before, change.after
    old, new = wanted.get("environment", {}), real.get("environment", {})
    for name in differing_names(old, new):
        yield f"variable {name} of {place}", _expected(name in old), _found(name in new)


def planned_rows(
    place: str, before: Configuration, after: Configuration, real: Configuration
) -> Iterator[Row]:
    """Where they differ from what a plan was made from.

    That was, as the guard has seen to, what is recorded, or already what is wanted after a run that was lost. The plan
    as it is kept doesn't say which of the two: what is secret in it is masked.
    """
    if real != after:
        yield from configuration_rows(place, before, real)


def _without_environment(configuration: Configuration) -> Configuration:
    return {name: value for name, value in configuration.items() if name != "environment"}


def _expected(there: bool) -> str:
    return "as released" if there else "none"


def _found(there: bool) -> str:
    # Also of a plain variable: somebody may have put a secret there.
    return "another value" if there else "none"

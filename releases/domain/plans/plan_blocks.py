"""The blocks in a plan's resources: lists of mappings."""

from collections.abc import Mapping
from typing import Any

from releases.domain.errors import DomainError


class UnknownShape(DomainError):
    """A resource of a plan is built otherwise than this provider builds it."""

    def __init__(self) -> None:
        super().__init__("plan:shape", "has a shape that the guard does not know")


def blocks(value: object) -> list[Mapping[str, Any]]:
    """The blocks of one kind. Raises UnknownShape if the value is no list of mappings."""
    if not isinstance(value, list) or not all(isinstance(block, Mapping) for block in value):
        raise UnknownShape
    return value

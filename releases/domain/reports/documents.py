"""Records and reports as JSON, and as a table of that."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def as_document(record: "DataclassInstance") -> dict[str, Any]:
    """A record as JSON; its times are texts in the form of ISO 8601, in UTC."""
    return {name: _plain(value) for name, value in asdict(record).items()}


def as_rows(document: Mapping[str, Any]) -> list[list[object]]:
    """A document as a table: part, number within the part, field, value. What is no list is of the part "all"."""
    rows: list[list[object]] = [["part", "number", "field", "value"]]
    for name, value in document.items():
        rows += _rows(name, value)
    return rows


def _plain(value: Any) -> Any:  # noqa: ANN401 - any field of a record
    match value:
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case dict():
            return {name: _plain(inner) for name, inner in value.items()}
        case list() | tuple():
            return (
                _plain(value._asdict()) if hasattr(value, "_asdict") else [_plain(inner) for inner in value]
            )
        case _:
            return value


def _rows(name: str, value: Any) -> list[list[object]]:  # noqa: ANN401 - any field of a document
    if isinstance(value, dict):
        return [row for field, inner in value.items() for row in _rows(f"{name}.{field}", inner)]
    if not isinstance(value, list):
        return [["all", "", name, value]]
    rows: list[list[object]] = []
    for number, item in enumerate(value, start=1):
        fields = item.items() if isinstance(item, dict) else [("text", item)]
        rows += [[name, number, field, inner] for field, inner in fields]
    return rows

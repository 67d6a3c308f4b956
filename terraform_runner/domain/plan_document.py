"""The plan's JSON as it is kept: what ``parse_plan`` reads, with sensitive values masked."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from terraform_runner.domain.plan import KNOWN_CHANGE_KEYS, KNOWN_KEYS, KNOWN_RESOURCE_KEYS
from terraform_runner.domain.redaction import Redactor

# They repeat every value in the clear, and nobody reads them.
_LEFT_OUT = frozenset({"variables", "planned_values", "prior_state", "relevant_attributes"})


def mask_document(document: Mapping[str, Any], redactor: Redactor) -> dict[str, Any]:
    """The document to keep.

    A sensitive value becomes "(sensitive value 1)", equal ones with the same number: so a change of a secret is
    still seen as one, though nobody sees the secret. Its text is masked where it is not marked, too: Terraform loses
    the mark, e.g. from the input of ``terraform_data`` to its output. What is not known becomes ``true``.
    """
    masking = _Masking(redactor.knowing(_sensitive_texts(document)))
    kept = {key: value for key, value in document.items() if key not in _LEFT_OUT}
    return {key: masking.top_level(key, value) for key, value in kept.items()}


class _Masking:
    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._numbers: dict[str, int] = {}

    def top_level(self, key: str, value: Any) -> Any:  # noqa: ANN401 - JSON
        match key:
            case "resource_changes" | "resource_drift":
                return [self._resource(resource) for resource in value or ()]
            case "output_changes":
                return {name: self._change(change) for name, change in (value or {}).items()}
            case "configuration":
                return self._values(_without_sensitive_defaults(value), False)
            case _:
                return self._values(value, False) if key in KNOWN_KEYS else bool(value)

    def _resource(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        masked = {
            key: value if key in KNOWN_RESOURCE_KEYS else bool(value) for key, value in resource.items()
        }
        return {**masked, "change": self._change(resource["change"])}

    def _change(self, change: Mapping[str, Any]) -> dict[str, Any]:
        known = {
            key: self._values(value, change.get(f"{key}_sensitive", False))
            for key, value in change.items()
            if key in KNOWN_CHANGE_KEYS
        }
        return known | {key: bool(value) for key, value in change.items() if key not in KNOWN_CHANGE_KEYS}

    def _values(self, value: Any, sensitive: object) -> Any:  # noqa: ANN401 - JSON
        if sensitive is True:
            return None if value is None else self._number(_text(value))
        match value:
            case Mapping():
                return {
                    key: self._values(item, self._mark(key, item, _mark(sensitive, key)))
                    for key, item in value.items()
                }
            case list():
                return [self._values(item, _mark(sensitive, index)) for index, item in enumerate(value)]
            case str():
                return self._redactor.mask(value, self._number)
            case _:
                return value

    def _mark(self, key: str, item: object, mark: object) -> object:
        """A function's environment variables are secret by their whole value, however short that is."""
        if key != "variables" or not isinstance(item, Mapping) or mark is True:
            return mark
        known = {
            name: True for name, text in item.items() if isinstance(text, str) and self._redactor.knows(text)
        }
        return {**(mark if isinstance(mark, Mapping) else {}), **known}

    def _number(self, secret: str) -> str:
        return f"(sensitive value {self._numbers.setdefault(secret, len(self._numbers) + 1)})"


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _sensitive_texts(document: Mapping[str, Any]) -> Iterator[str]:
    resources = (*(document.get("resource_changes") or ()), *(document.get("resource_drift") or ()))
    changes = (
        *(resource["change"] for resource in resources),
        *(document.get("output_changes") or {}).values(),
    )
    for change in changes:
        for moment in ("before", "after"):
            yield from _marked_texts(change.get(moment), change.get(f"{moment}_sensitive", False))


def _marked_texts(value: object, sensitive: object) -> Iterator[str]:
    match value:
        case str() if sensitive is True:
            yield value
        case Mapping():
            for key, item in value.items():
                yield from _marked_texts(item, sensitive is True or _mark(sensitive, key))
        case list():
            for index, item in enumerate(value):
                yield from _marked_texts(item, sensitive is True or _mark(sensitive, index))


def _mark(sensitive: object, key: str | int) -> object:
    match sensitive, key:
        case Mapping(), str():
            return sensitive.get(key, False)
        case list(), int() if key < len(sensitive):
            return sensitive[key]
        case _:
            return False


def _without_sensitive_defaults(configuration: object) -> object:
    """The configuration with the defaults of sensitive variables taken out: nothing else marks them there."""
    if not isinstance(configuration, Mapping):
        return configuration
    hidden = {"default"} if configuration.get("sensitive") is True else set()
    return {
        key: _without_sensitive_defaults(item) for key, item in configuration.items() if key not in hidden
    }

"""The variables as the HCL text that people write, for pages and for download.

They are the six that a release is made of, and the colours' configurations where there are any. Secrets are masked.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from releases.domain.traffic import TrafficState
from releases.domain.versions.environment import hide


@dataclass(frozen=True, kw_only=True)
class VariableLine:
    """One line of the block, and whether the transition changes it."""

    text: str
    changed: bool


def variables(state: TrafficState, *, family: str) -> list[tuple[str, str]]:
    """The names with their values as HCL literals, in the order people know."""
    return _literals(_values(state, family, with_configurations=_is_configured(state)))


def variables_text(state: TrafficState, *, family: str) -> str:
    """The block as `terraform fmt` would write it: the equals signs below each other."""
    return "".join(f"{line}\n" for line in _aligned(variables(state, family=family)))


def variable_lines(before: TrafficState, after: TrafficState, *, family: str) -> tuple[VariableLine, ...]:
    """The block after a transition, with the lines marked that differ from the one before it."""
    both = _is_configured(before) or _is_configured(after)
    old, new = (_values(state, family, with_configurations=both) for state in (before, after))
    texts = zip(new, _aligned(_literals(new)), strict=True)
    # By their values: a changed secret is a change, though nobody sees it.
    return tuple(VariableLine(text=text, changed=new[name] != old[name]) for name, text in texts)


def _values(state: TrafficState, family: str, *, with_configurations: bool) -> dict[str, object]:
    values: dict[str, object] = {
        "family": family,
        "blue_image": state.blue.image,
        "green_image": state.green.image,
        "active_color": state.active_color.value,
        "activate_canary": state.activate_canary,
        "green_weight": state.green_weight,
    }
    if with_configurations:
        values["blue_config"] = dict(state.blue.configuration)
        values["green_config"] = dict(state.green.configuration)
    return values


def _is_configured(state: TrafficState) -> bool:
    return bool(state.blue.configuration or state.green.configuration)


def _literals(values: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(name, _literal(hide(value))) for name, value in values.items()]


def _aligned(rows: Sequence[tuple[str, str]]) -> list[str]:
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}} = {value}" for name, value in rows]


def _literal(value: object) -> str:
    match value:
        case str():
            return _string(value)
        case Mapping():
            inner = ", ".join(f"{name} = {_literal(item)}" for name, item in value.items())
            return f"{{ {inner} }}" if inner else "{}"
        case list():
            return f"[{', '.join(map(_literal, value))}]"
        case _:
            return json.dumps(value)


def _string(text: str) -> str:
    # HCL's quoted strings are JSON's plus templates, which start with ${ or %{.
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")

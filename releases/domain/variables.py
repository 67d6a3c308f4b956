"""The six variables as the HCL text that people write, for pages and for download."""

import json
from dataclasses import dataclass

from releases.domain.traffic import TrafficState


@dataclass(frozen=True, kw_only=True)
class VariableLine:
    """One line of the block, and whether the transition changes it."""

    text: str
    changed: bool


def variables(state: TrafficState, *, family: str) -> list[tuple[str, str]]:
    """The six names with their values as HCL literals, in the order people know."""
    return [
        ("family", _string(family)),
        ("blue_image", _string(state.blue.image)),
        ("green_image", _string(state.green.image)),
        ("active_color", _string(state.active_color)),
        ("activate_canary", "true" if state.activate_canary else "false"),
        ("green_weight", str(state.green_weight)),
    ]


def variables_text(state: TrafficState, *, family: str) -> str:
    """The block as `terraform fmt` would write it: the equals signs below each other."""
    return "".join(f"{line}\n" for line in _aligned(state, family))


def variable_lines(before: TrafficState, after: TrafficState, *, family: str) -> tuple[VariableLine, ...]:
    """The block after a transition, with the lines marked that differ from the one before it."""
    pairs = zip(_aligned(before, family), _aligned(after, family), strict=True)
    return tuple(VariableLine(text=new, changed=new != old) for old, new in pairs)


def _aligned(state: TrafficState, family: str) -> list[str]:
    rows = variables(state, family=family)
    width = max(len(name) for name, _ in rows)
    return [f"{name:<{width}} = {value}" for name, value in rows]


def _string(text: str) -> str:
    # HCL's quoted strings are JSON's plus templates, which start with ${ or %{.
    return json.dumps(text, ensure_ascii=False).replace("${", "$${").replace("%{", "%%{")

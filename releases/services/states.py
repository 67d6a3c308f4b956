"""Traffic states as JSON, the way that steps keep them."""

from typing import Any

from releases.domain.traffic import Color, TrafficState, Version


def to_json(state: TrafficState) -> dict[str, Any]:
    """``{"active_color": …, "blue": {"image": …, "configuration": {…}}, "green": …, "green_weight": 10, …}``."""
    return {
        "active_color": state.active_color.value,
        "blue": {"image": state.blue.image, "configuration": dict(state.blue.configuration)},
        "green": {"image": state.green.image, "configuration": dict(state.green.configuration)},
        "green_weight": state.green_weight,
        "activate_canary": state.activate_canary,
        "canary_addresses": list(state.canary_addresses),
    }


def from_json(document: dict[str, Any]) -> TrafficState:
    """The inverse of :func:`to_json`."""
    return TrafficState(
        active_color=Color(document["active_color"]),
        blue=Version(**document["blue"]),
        green=Version(**document["green"]),
        green_weight=document["green_weight"],
        activate_canary=document["activate_canary"],
        canary_addresses=tuple(document.get("canary_addresses", ())),
    )

"""What a service asks of its gates: who approves what, how long an approval counts, when nothing begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from releases.domain.approval.freezes import Window, parse_windows
from releases.domain.approval.slots import ANYBODY, InvalidSlot, Slot, parse_slot
from releases.domain.errors import DomainError
from releases.domain.traffic import Transition

MOST_SLOTS = 5
MOST_BREAKERS = 10
LONGEST_SECONDS = 30 * 86_400


class Gate(StrEnum):
    """Where a decision may be asked for: at the request itself, and before the apply of these transitions.

    A rotation sends nobody anywhere new, and has none; the request's gate stands before it. A rollback has none ever.
    """

    REQUEST = "request"
    CANARY = Transition.CANARY.value
    SHIFT = Transition.SHIFT.value
    PROMOTE = Transition.PROMOTE.value
    SETTINGS = Transition.SETTINGS.value
    REMOVE = Transition.REMOVE.value


class Need(StrEnum):
    """Whether an approval is asked for."""

    AS_PLANNED = "as_planned"
    """As the release's own plan says; its first step that sends anybody and its promotion do. Of a request: no."""
    ALWAYS = "always"
    NEVER = "never"


class AfterWait(StrEnum):
    """What becomes of a release whose gate has waited for too long."""

    HOLD = "hold"
    """It is paused."""
    CANCEL = "cancel"
    """It ends, where nobody was sent to its version yet; else it is paused."""
    ROLL_BACK = "roll_back"
    """Everyone is brought back to the safe colour, and it ends."""


class InvalidPolicy(DomainError):
    """A policy that cannot be; `field` is the one that is wrong."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__("policy:invalid", message)
        self.field = field


@dataclass(frozen=True, kw_only=True)
class GateRule:
    """What one gate asks for."""

    need: Need = Need.AS_PLANNED
    slots: tuple[Slot, ...] = (ANYBODY,)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """All that a service asks. Times are in seconds, 0 for no end.

    `four_eyes`: neither who asked for it nor who changed it last counts. `one_gate_each`: whoever approved at one gate
    of a release does not count at another. `approval_seconds`: how long an approval counts that waits to be used.
    `wait_seconds`: how long a gate waits, and `after_wait` what comes then. `freezes`: when nothing begins;
    `allowed_hours`: outside of which nothing does, if there are any. `ticket`: a request names one.
    `break_glass`: of what groups and roles each may open a gate alone.
    """

    gates: Mapping[Gate, GateRule] = field(default_factory=lambda: MappingProxyType({}))
    four_eyes: bool = True
    one_gate_each: bool = False
    approval_seconds: int = 0
    wait_seconds: int = 0
    after_wait: AfterWait = AfterWait.HOLD
    freezes: tuple[Window, ...] = ()
    allowed_hours: tuple[Window, ...] = ()
    ticket: bool = False
    break_glass: tuple[Slot, ...] = ()

    def rule(self, gate: Gate) -> GateRule:
        """What this gate asks for."""
        return self.gates.get(gate, GateRule())

    def needs_approval(self, gate: Gate, *, planned: bool) -> bool:
        """Whether an approval is needed where the release's own plan says `planned`."""
        need = self.rule(gate).need
        return planned if need is Need.AS_PLANNED else need is Need.ALWAYS

    def for_its_makers(self) -> "Policy":
        """The same for what was asked for by who made it: no gate is switched off, and nobody opens one alone."""
        gates = {
            gate: replace(rule, need=Need.AS_PLANNED) if rule.need is Need.NEVER else rule
            for gate, rule in self.gates.items()
        }
        return replace(self, gates=MappingProxyType(gates), four_eyes=True)


DEFAULT = Policy()


def gate_of(transition: Transition) -> Gate | None:
    """The gate before a transition's apply whose rule a policy may set; None where it is as planned always."""
    return Gate(transition.value) if transition.value in set(Gate) else None


def to_columns(policy: Policy) -> dict[str, Any]:
    """A policy as it is kept: JSON, without what is as usual."""
    kept = {name: _plain(getattr(policy, name)) for name in _NAMES if getattr(policy, name) != _usual(name)}
    gates = {gate.value: _gate_to_json(rule) for gate, rule in policy.gates.items() if rule != GateRule()}
    return kept | ({"gates": gates} if gates else {})


def from_columns(*kept: Mapping[str, Any]) -> Policy:
    """The policy that these make, the later ones in place of the earlier; freeze windows add up.

    Raises ``InvalidPolicy`` where one of them cannot be.
    """
    merged: dict[str, Any] = {}
    gates: dict[str, Any] = {}
    freezes: dict[str, None] = {}
    for one in kept:
        merged |= one
        gates |= one.get("gates", {})
        freezes |= dict.fromkeys(one.get("freezes", ()))
    return _checked(merged | {"gates": gates, "freezes": list(freezes)})


def own_columns(wanted: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """What of a policy as it is kept differs from what it is laid over: only that is a service's own."""
    whole, under = _whole(wanted), _whole(defaults)
    own = {name: value for name, value in whole.items() if value != under[name] and name not in _ADDED}
    gates = {
        gate: rule for gate, rule in whole["gates"].items() if rule != under["gates"].get(gate, _USUAL_GATE)
    }
    gates |= {gate: _USUAL_GATE for gate in under["gates"] if gate not in whole["gates"]}
    freezes = [line for line in whole["freezes"] if line not in under["freezes"]]
    return own | ({"gates": gates} if gates else {}) | ({"freezes": freezes} if freezes else {})


def makers(
    present: Mapping[str, str], before: Mapping[str, Any], after: Mapping[str, Any], *, changed_by: str
) -> dict[str, str]:
    """Who made each part of a policy that decides who passes its gates, by the part's name: whoever changed that last.

    ``before`` and ``after`` are the policy as it is kept; whoever changes another part of it makes none of these.
    """
    old, new = _passes(before), _passes(after)
    changed = {name for name in old.keys() | new.keys() if old.get(name) != new.get(name)}
    return {**present, **dict.fromkeys(changed, changed_by)}


def parse_slots(gate: Gate, lines: Sequence[str]) -> tuple[Slot, ...]:
    """The places of a gate, a line each as ``parse_slot`` has it; raises ``InvalidPolicy``."""
    if not 1 <= len(lines) <= MOST_SLOTS:
        raise InvalidPolicy(gate.value, f"Write one to {MOST_SLOTS} people, one a line.")
    return _slots(gate.value, lines)


def _slots(field: str, lines: Sequence[str]) -> tuple[Slot, ...]:
    try:
        return tuple(map(parse_slot, lines))
    except InvalidSlot as error:
        raise InvalidPolicy(field, error.message) from error


_NEEDED_ALWAYS = frozenset({Gate.SETTINGS, Gate.REMOVE})
_NAMES = tuple(one.name for one in fields(Policy) if one.name != "gates")
_ADDED = frozenset({"gates", "freezes"})
_USUAL_GATE = {"need": Need.AS_PLANNED.value, "slots": [str(ANYBODY)]}


def _passes(kept: Mapping[str, Any]) -> dict[str, Any]:
    gates = {f"gates.{gate}": rule for gate, rule in kept.get("gates", {}).items()}
    return gates | {name: kept[name] for name in ("four_eyes", "break_glass") if name in kept}


def _whole(kept: Mapping[str, Any]) -> dict[str, Any]:
    usual = {name: _plain(_usual(name)) for name in _NAMES} | {"gates": {}}
    return usual | dict(kept)


def _usual(name: str) -> Any:  # noqa: ANN401 - of any of the fields
    return getattr(DEFAULT, name)


def _plain(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, StrEnum):
        return value.value
    return [str(one) for one in value] if isinstance(value, tuple) else value


def _gate_to_json(rule: GateRule) -> dict[str, Any]:
    return {"need": rule.need.value, "slots": [str(slot) for slot in rule.slots]}


def _checked(kept: Mapping[str, Any]) -> Policy:
    unknown = sorted(set(kept) - {*_NAMES, "gates"})
    if unknown:
        raise InvalidPolicy("", f"A policy has no {unknown[0][:40]}.")
    given = {name: _parsed(name, kept[name]) for name in _NAMES if name in kept}
    gates = {Gate(name): _rule(Gate(name), rule) for name, rule in kept["gates"].items()}
    return Policy(gates=MappingProxyType(gates), **given)


def _rule(gate: Gate, kept: Mapping[str, Any]) -> GateRule:
    need = Need(kept["need"])
    if need is not Need.AS_PLANNED and gate in _NEEDED_ALWAYS:
        raise InvalidPolicy(gate.value, "Other settings and a removal are approved always.")
    return GateRule(need=need, slots=parse_slots(gate, kept["slots"]))


def _parsed(name: str, value: Any) -> Any:  # noqa: ANN401 - JSON
    if name == "after_wait":
        return AfterWait(value)
    if name in {"freezes", "allowed_hours"}:
        return _windows(name, value)
    if name == "break_glass":
        return _breakers(name, value)
    if isinstance(value, bool):
        return value
    if not 0 <= value <= LONGEST_SECONDS:
        raise InvalidPolicy(name, f"From 0 to {LONGEST_SECONDS} seconds, which is 30 days.")
    return value


def _breakers(name: str, lines: Sequence[str]) -> tuple[Slot, ...]:
    slots = _slots(name, lines)
    if len(slots) > MOST_BREAKERS or ANYBODY in slots:
        raise InvalidPolicy(name, f"Write at most {MOST_BREAKERS} groups or roles, one a line.")
    return slots


def _windows(name: str, lines: Sequence[str]) -> tuple[Window, ...]:
    try:
        return parse_windows(lines)
    except DomainError as error:
        raise InvalidPolicy(name, error.message) from error

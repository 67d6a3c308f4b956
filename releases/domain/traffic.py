"""The traffic state of one service, and the transitions from one state to the next.

The state is the six variables that people write (`family` apart, which never changes). Percents
only: target groups and their ARNs belong to the guard and to AWS.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from releases.domain.errors import IllegalTransition, InvalidTraffic

NOBODY = "192.0.2.1/32"
"""The canary rule's source address while the canary is off: TEST-NET-1 of RFC 5737, which no client has."""

TAG = r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}"
"""An image's tag, as registries take it: https://github.com/opencontainers/distribution-spec, "Pulling manifests"."""

_DIGEST_REFERENCE = re.compile(r"[^\s@${}\"\\]+@sha256:[0-9a-f]{64}")


class Color(StrEnum):
    """One of the two slots of a service."""

    BLUE = "blue"
    GREEN = "green"

    @property
    def other(self) -> "Color":
        """The other slot."""
        return Color.GREEN if self is Color.BLUE else Color.BLUE


@dataclass(frozen=True, kw_only=True)
class Version:
    """What a function runs: an image by digest, and the configuration that it runs with.

    `configuration` is part of equality, but not of the hash, since a mapping has none.
    """

    image: str
    configuration: Mapping[str, object] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        if not _DIGEST_REFERENCE.fullmatch(self.image):
            raise InvalidTraffic(
                "version:no-digest",
                f"“{self.image[:200]}” does not name an image by its digest (repository@sha256:…).",
            )

    @property
    def digest(self) -> str:
        """The image's digest, "sha256:" and 64 hexadecimal digits."""
        return self.image.partition("@")[2]


@dataclass(frozen=True, kw_only=True)
class TrafficState:
    """What each colour runs and who is sent to it.

    `green_weight` is green's share of all users in percent, literally; blue has the rest, so that the
    two always sum to 100 (invariant 1). `canary_addresses` are those that the canary sends to the candidate: none
    while it is off, and none where only requests with the service's header are the canary.
    """

    active_color: Color
    blue: Version
    green: Version
    green_weight: int
    activate_canary: bool
    canary_addresses: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_share(self.green_weight)
        if self.canary_addresses and not self.activate_canary:
            raise InvalidTraffic("traffic:canary", "A canary that is off sends nobody.")

    @property
    def stable(self) -> Color:
        """The colour that a rollback leads to."""
        return self.active_color

    @property
    def candidate(self) -> Color:
        """The colour that holds the next version, or, after a promotion, the one that was promoted."""
        return self.active_color.other

    @property
    def serving(self) -> Color:
        """The colour whose version all users have, where nobody is in between: the stable one until a promotion."""
        return self.candidate if self.candidate_share == 100 else self.stable

    @property
    def candidate_share(self) -> int:
        """The candidate's share of all users, 0 to 100."""
        return self.weight_of(self.candidate)

    def weight_of(self, color: Color) -> int:
        """This colour's share of all users, 0 to 100."""
        return self.green_weight if color is Color.GREEN else 100 - self.green_weight

    def version_of(self, color: Color) -> Version:
        """What this colour's function runs."""
        return self.green if color is Color.GREEN else self.blue

    def receives_traffic(self, color: Color) -> bool:
        """Whether anybody is sent to this colour, by weight or by canary."""
        return self.weight_of(color) > 0 or (self.activate_canary and color is self.candidate)

    def with_candidate_share(self, share: int) -> "TrafficState":
        """The same state with this share of all users (0 to 100) on the candidate."""
        return replace(self, green_weight=share if self.candidate is Color.GREEN else 100 - share)

    def with_canary(self, on: bool, addresses: Sequence[str] = ()) -> "TrafficState":
        """The same state with the canary on, for these addresses, or off."""
        return replace(self, activate_canary=on, canary_addresses=tuple(addresses) if on else ())

    def with_version(self, color: Color, version: Version) -> "TrafficState":
        """The same state with another version in one colour."""
        return replace(self, blue=version) if color is Color.BLUE else replace(self, green=version)


class Transition(StrEnum):
    """What one run may do to a service."""

    SET_UP = "set_up"
    ROTATE_STABLE = "rotate_stable"
    """Copy (a): the stable function, which has no traffic, takes over the promoted version."""
    ROTATE_TRAFFIC = "rotate_traffic"
    """Copy (b): everyone moves to the same version on the stable colour."""
    SWAP_COLORS = "rotate_swap"
    """Swap (a): the promoted colour, which has all the traffic, becomes the stable one. Nobody is moved."""
    ROTATE_CANDIDATE = "rotate_candidate"
    """Copy (c), swap (b), or the first rotation: the candidate's function gets the release's version."""
    CANARY = "canary"
    SHIFT = "shift"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    """Everyone to the safe colour: what Terraform converges to after the emergency button."""
    SETTINGS = "settings"
    """Hosts, paths, priority, tags, logs and the like: nobody is sent elsewhere, no function is changed."""
    REMOVE = "remove"
    """Everything that the service has at AWS is destroyed."""


ROTATIONS = frozenset(
    {
        Transition.ROTATE_STABLE,
        Transition.ROTATE_TRAFFIC,
        Transition.SWAP_COLORS,
        Transition.ROTATE_CANDIDATE,
    }
)


def initial_state(version: Version, *, active_color: Color = Color.BLUE) -> TrafficState:
    """What a service is set up with: both colours the same version, everyone on stable, no canary."""
    everyone_on_blue = TrafficState(
        active_color=active_color, blue=version, green=version, green_weight=0, activate_canary=False
    )
    return everyone_on_blue.with_candidate_share(0)


def target_state(
    state: TrafficState,
    transition: Transition,
    *,
    version: Version | None = None,
    share: int | None = None,
    safe_color: Color | None = None,
    canary_addresses: Sequence[str] | None = None,
) -> TrafficState:
    """What the variables shall be after this transition.

    `version` is the release's (needed by ROTATE_CANDIDATE; where given, CANARY, SHIFT and PROMOTE check
    that the candidate runs it), `share` the candidate's percent (SHIFT), `safe_color` where a ROLLBACK
    leads, `canary_addresses` whom a CANARY sends (without them whom it sends already). A state that the transition
    has already reached is its own target where that is harmless.

    Raises IllegalTransition where the transition may not follow from this state, InvalidTraffic for a
    share that is none.
    """
    asked = _Asked(version=version, share=share, safe_color=safe_color, canary_addresses=canary_addresses)
    return _TARGETS[transition](state, asked)


def changed_colors(transition: Transition, state: TrafficState) -> frozenset[Color]:
    """The colours whose functions this transition changes: they must be without traffic, and settled.

    A set-up changes none: there is no function yet.
    """
    if transition is Transition.ROTATE_STABLE:
        return frozenset({state.stable})
    if transition is Transition.ROTATE_CANDIDATE:
        return frozenset({state.candidate})
    return frozenset()


def safe_color(state: TrafficState, *, stable_is_being_changed: bool) -> Color:
    """Where a rollback leads, to be written down before an apply starts (invariant 8).

    `stable_is_being_changed` holds from the commit that starts ROTATE_STABLE until it is verified, a
    failed one included: then there is nothing older to go back to than the promoted version.
    """
    return state.candidate if stable_is_being_changed else state.stable


def is_safe(state: TrafficState, color: Color) -> bool:
    """Whether everyone is on this colour already and the canary is off: nothing to roll back."""
    return state.weight_of(color) == 100 and not state.activate_canary


@dataclass(frozen=True, kw_only=True)
class _Asked:
    version: Version | None
    share: int | None
    safe_color: Color | None
    canary_addresses: Sequence[str] | None


def _check_share(share: int) -> None:
    # bool is an int in Python, and a form or JSON body may bring one.
    if not isinstance(share, int) or isinstance(share, bool) or not 0 <= share <= 100:
        raise InvalidTraffic("traffic:share", "A share of the traffic is a whole number from 0 to 100.")


def _refuse(code: str, message: str) -> IllegalTransition:
    return IllegalTransition(f"transition:{code}", message)


def _set_up(state: TrafficState, asked: _Asked) -> TrafficState:
    if state != initial_state(state.blue, active_color=state.active_color):
        raise _refuse(
            "set-up", "A service is set up with one version on both colours, everyone on stable, no canary."
        )
    return state


def _rotate_stable(state: TrafficState, asked: _Asked) -> TrafficState:
    _need_promoted(state)
    return state.with_version(state.stable, state.version_of(state.candidate))


def _rotate_traffic(state: TrafficState, asked: _Asked) -> TrafficState:
    _need_promoted(state)
    if state.blue != state.green:
        raise _refuse(
            "not-copied", f"{state.stable} does not run the promoted version yet: users would get an old one."
        )
    return state.with_candidate_share(0)


def _swap_colors(state: TrafficState, asked: _Asked) -> TrafficState:
    _need_promoted(state)
    return replace(state, active_color=state.candidate)


def _rotate_candidate(state: TrafficState, asked: _Asked) -> TrafficState:
    if state.receives_traffic(state.candidate):
        raise _refuse(
            "candidate-has-traffic", f"{state.candidate} still receives traffic and may not be changed."
        )
    if asked.version is None:
        raise _refuse("no-version", "A rotation needs the version that the candidate shall run.")
    return state.with_version(state.candidate, asked.version)


def _canary(state: TrafficState, asked: _Asked) -> TrafficState:
    _need_candidate_of_release(state, asked)
    addresses = state.canary_addresses if asked.canary_addresses is None else asked.canary_addresses
    return state.with_canary(True, addresses)


def _shift(state: TrafficState, asked: _Asked) -> TrafficState:
    _need_candidate_of_release(state, asked)
    if asked.share is None:
        raise _refuse("no-share", "A shift needs the share of users that the candidate shall have.")
    _check_share(asked.share)
    if asked.share == 100:
        raise _refuse("shift-to-100", "A share of 100 % is always a promotion.")
    return state.with_candidate_share(asked.share)


def _promote(state: TrafficState, asked: _Asked) -> TrafficState:
    _need_version_in_place(state, asked)
    return state.with_candidate_share(100).with_canary(False)


def _rollback(state: TrafficState, asked: _Asked) -> TrafficState:
    if asked.safe_color is None:
        raise _refuse("no-safe-color", "A rollback needs the colour that was written down as safe.")
    share = 100 if asked.safe_color is state.candidate else 0
    return state.with_candidate_share(share).with_canary(False)


def _same(state: TrafficState, asked: _Asked) -> TrafficState:
    return state


def _need_promoted(state: TrafficState) -> None:
    if not is_safe(state, state.candidate):
        raise _refuse(
            "not-promoted",
            f"The candidate {state.candidate} does not have all traffic, or the canary is still on: "
            f"{state.stable} may not be changed yet.",
        )


def _need_candidate_of_release(state: TrafficState, asked: _Asked) -> None:
    if state.candidate_share == 100:
        raise _refuse("promoted", "The candidate has been promoted: the next release rotates first.")
    _need_version_in_place(state, asked)


def _need_version_in_place(state: TrafficState, asked: _Asked) -> None:
    if asked.version is not None and asked.version != state.version_of(state.candidate):
        raise _refuse(
            "not-rotated", f"The candidate {state.candidate} does not run this release's version yet."
        )


_TARGETS: Mapping[Transition, Callable[[TrafficState, _Asked], TrafficState]] = {
    Transition.SET_UP: _set_up,
    Transition.ROTATE_STABLE: _rotate_stable,
    Transition.ROTATE_TRAFFIC: _rotate_traffic,
    Transition.SWAP_COLORS: _swap_colors,
    Transition.ROTATE_CANDIDATE: _rotate_candidate,
    Transition.CANARY: _canary,
    Transition.SHIFT: _shift,
    Transition.PROMOTE: _promote,
    Transition.ROLLBACK: _rollback,
    Transition.SETTINGS: _same,
    Transition.REMOVE: _same,
}

"""A step and its plan in the words of a manager: one sentence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from releases.domain.plans.risk import count
from releases.domain.traffic import Color, TrafficState, Transition, Version

_SHORT_DIGEST = len("sha256:") + 12
_MOST_ADDRESSES = 4


def describe(
    transition: Transition,
    before: TrafficState,
    after: TrafficState,
    tags: Mapping[str, str],
    *,
    canary_header: str = "",
    taken_over: int = 0,
) -> str:
    """What the transition does, in one or two plain sentences. `tags` has the tag of each image reference, where known;
    `canary_header` is the name of the header by which requests are the canary, where the service has one;
    `taken_over` says how many resources its plan takes over that are there already.

    It says what the guard makes sure of: ask for it only with a plan that the guard has accepted.
    """
    facts = _Facts(before=before, after=after, tags=tags, canary_header=canary_header, taken_over=taken_over)
    if transition is Transition.SET_UP and taken_over:
        return _set_up_with_what_is_there(facts)
    return f"{_SENTENCES[transition](facts)} {_ENDS.get(transition, 'Nothing is created or deleted.')}"


@dataclass(frozen=True, kw_only=True)
class _Facts:
    before: TrafficState
    after: TrafficState
    tags: Mapping[str, str]
    canary_header: str
    taken_over: int

    def tag(self, version: Version) -> str:
        return self.tags.get(version.image) or version.digest[:_SHORT_DIGEST]

    def side(self, color: Color) -> str:
        return f"{color} · {self.tag(self.after.version_of(color))}"

    @property
    def stable(self) -> str:
        return self.side(self.after.stable)

    @property
    def candidate(self) -> str:
        return self.side(self.after.candidate)


def _set_up(facts: _Facts) -> str:
    tag = facts.tag(facts.after.version_of(facts.after.stable))
    return f"Creates both sides of the service with {tag} and sends everyone to {facts.after.stable}."


def _set_up_with_what_is_there(facts: _Facts) -> str:
    return (
        f"Takes over {count(facts.taken_over)} of the service that it finds there, "
        f"brings both sides to {facts.tag(facts.after.version_of(facts.after.stable))}, and sends everyone to "
        f"{facts.after.stable}. What is missing is created, what differs is changed, and nothing is deleted."
    )


def _rotate_stable(facts: _Facts) -> str:
    return (
        f"Puts {facts.tag(facts.after.version_of(facts.after.stable))}, which everyone uses on "
        f"{facts.after.candidate}, on {facts.after.stable} too. {_NO_TRAFFIC}"
    )


def _rotate_traffic(facts: _Facts) -> str:
    return f"Moves everyone from {facts.after.candidate} to {facts.stable}, which is the same version."


def _swap_colors(facts: _Facts) -> str:
    return (
        f"Makes {facts.stable}, which everyone uses, the stable colour: a rollback leads there from then on. "
        f"{facts.after.candidate} is free for the next version. {_NO_TRAFFIC}"
    )


def _rotate_candidate(facts: _Facts) -> str:
    new, users = (facts.after.version_of(color) for color in (facts.after.candidate, facts.after.serving))
    differs = " with another configuration" if new.configuration != users.configuration else ""
    return (
        f"Puts {facts.tag(new)}{differs} on {facts.after.candidate}, which nobody is sent to. {_NO_TRAFFIC}"
    )


def _canary(facts: _Facts) -> str:
    if facts.before.activate_canary:
        return _other_addresses(facts)
    by_header = [f"requests with the header {facts.canary_header}"] if facts.canary_header else []
    whom = _listed([*_few(facts.after.canary_addresses), *by_header])
    return f"Sends only {whom} to {facts.candidate}; for everyone else nothing changes."


def _other_addresses(facts: _Facts) -> str:
    before, after = facts.before.canary_addresses, facts.after.canary_addresses
    added = _listed(_few([address for address in after if address not in before]))
    removed = _listed(_few([address for address in before if address not in after]))
    sentences = [f"Sends {added} to {facts.candidate} too."] if added else []
    sentences += [f"Takes {removed} off {facts.candidate}."] if removed else []
    return " ".join(sentences) or f"The canary on {facts.candidate} stays as it is."


def _few(addresses: Sequence[str]) -> list[str]:
    """Of many only the first ones, and how many more."""
    if len(addresses) <= _MOST_ADDRESSES:
        return list(addresses)
    return [*addresses[: _MOST_ADDRESSES - 1], f"{len(addresses) - _MOST_ADDRESSES + 1} more"]


def _listed(words: Sequence[str]) -> str:
    """ "a, b and c"."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def _shift(facts: _Facts) -> str:
    share = facts.after.candidate_share
    if share == 0:
        return f"Takes all users off {facts.candidate}; {facts.stable} has 100 %."
    if share < facts.before.candidate_share:
        return f"Lowers {facts.candidate} to {share} % of users; {facts.stable} has {100 - share} %."
    return f"Sends {share} % of users to {facts.candidate}; {facts.stable} keeps {100 - share} %."


def _promote(facts: _Facts) -> str:
    return f"Sends everyone to {facts.candidate}; {facts.stable} stays as it is, to go back to."


def _rollback(facts: _Facts) -> str:
    if facts.after.candidate_share == 100:
        return f"Stops the rotation: everyone stays on {facts.candidate}."
    return f"Sends everyone back to {facts.stable}, the canary addresses too."


def _settings(facts: _Facts) -> str:
    return "Changes what the service's rules ask for, its tags or its logs. Nobody changes version."


def _remove(facts: _Facts) -> str:
    return "Destroys both functions, their rules and their groups: whoever asks for the service gets no answer from it."


_NO_TRAFFIC = "No traffic moves."

_ENDS: Mapping[Transition, str] = {
    Transition.SET_UP: "Nothing is changed or deleted.",
    Transition.SETTINGS: "No function and no rule is replaced or deleted.",
    Transition.REMOVE: "This cannot be undone.",
}

_SENTENCES: Mapping[Transition, Callable[[_Facts], str]] = {
    Transition.SET_UP: _set_up,
    Transition.ROTATE_STABLE: _rotate_stable,
    Transition.ROTATE_TRAFFIC: _rotate_traffic,
    Transition.SWAP_COLORS: _swap_colors,
    Transition.ROTATE_CANDIDATE: _rotate_candidate,
    Transition.CANARY: _canary,
    Transition.SHIFT: _shift,
    Transition.PROMOTE: _promote,
    Transition.ROLLBACK: _rollback,
    Transition.SETTINGS: _settings,
    Transition.REMOVE: _remove,
}

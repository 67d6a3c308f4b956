"""What steps are called."""

from releases.domain.traffic import Transition

_TITLES = {
    Transition.SET_UP: "Set up",
    Transition.ROTATE_STABLE: "Rotate: copy to stable",
    Transition.ROTATE_TRAFFIC: "Rotate: users to the copy",
    Transition.SWAP_COLORS: "Rotate: colours swap roles",
    Transition.ROTATE_CANDIDATE: "Rotate: new version in place",
    Transition.CANARY: "Canary",
    Transition.PROMOTE: "Promote",
    Transition.ROLLBACK: "Rollback",
    Transition.SETTINGS: "Settings",
    Transition.REMOVE: "Removal",
}


def title_of(transition: Transition, candidate_share: int) -> str:
    """A step's name: "Canary", "Shift to 25 %"."""
    return f"Shift to {candidate_share} %" if transition is Transition.SHIFT else _TITLES[transition]

"""Whether a state is the one that a workspace's runs have worked with, told by what every state says of itself."""

import json
import re
from dataclasses import dataclass
from typing import Any

from terraform_runner.errors import StateUnfit, TerraformTooOld, UnsavedUnfit

# The format that Terraform 0.12 and later write.
FORMAT = 4


@dataclass(frozen=True, kw_only=True)
class StateIdentity:
    """A state's ``lineage`` is made with it and stays; its ``serial`` grows with each change."""

    lineage: str
    serial: int


def identify(content: bytes, place: str) -> StateIdentity:
    """Who a state is. Raises StateUnfit or TerraformTooOld if it is not one that can be read."""
    state = _parse(content, place)
    return StateIdentity(lineage=str(state["lineage"]), serial=int(state["serial"]))


def check_pushable(unsaved: StateIdentity, stored: StateIdentity | None, *, place: str) -> None:
    """Raise UnsavedUnfit unless a state that could not be written, kept at ``place``, goes on from the stored one."""
    if stored is None or (unsaved.lineage == stored.lineage and unsaved.serial > stored.serial):
        return
    raise UnsavedUnfit(
        f"An earlier run could not write the state, which is kept in {place} (lineage {unsaved.lineage}, serial "
        f"{unsaved.serial}). It does not go on from the stored one (lineage {stored.lineage}, serial {stored.serial}), "
        "which somebody has written since. Nothing was done. Say which of them is right, see docs/storage.md: put it "
        "in the stored one's place, or use `manage.py accept_state`. Then plan again."
    )


def check_state(
    content: bytes | None, *, expected: StateIdentity | None, terraform_version: str, place: str
) -> StateIdentity | None:
    """Who a stored state is; None if there is none, and there need not be one yet.

    ``expected`` is who it was after the last run of the workspace. A plan on another one could make everything anew.

    Raises StateUnfit if it is gone, damaged, another or an older one; TerraformTooOld if it is of a newer Terraform.
    """
    if not content:  # Terraform leaves an empty file where it was ended while it held the lock
        if expected is not None:
            raise StateUnfit(_gone(place, content, expected))
        return None
    _refuse_newer(_parse(content, place), terraform_version, place)
    found = identify(content, place)
    if expected is not None:
        _refuse_other(found, expected, place)
    return found


def _gone(place: str, content: bytes | None, expected: StateIdentity) -> str:
    what = "gone" if content is None else "empty"
    return (
        f"The state {place} is {what}, although runs have written it (lineage {expected.lineage}, serial "
        f"{expected.serial}). {_TO_DO}"
    )


def _parse(content: bytes, place: str) -> dict[str, Any]:
    try:
        state = json.loads(content)
        fits = isinstance(state["lineage"], str) and type(state["serial"]) is int
        written_by, written_in = str(state["terraform_version"]), state["version"]
    except (ValueError, TypeError, KeyError):
        fits = False
    if not fits:
        raise StateUnfit(f"The state {place} is damaged: it is not what Terraform writes. {_TO_DO}")
    if type(written_in) is not int or written_in > FORMAT:
        raise TerraformTooOld(
            f"The state {place} was written by Terraform {written_by} in a format that is not known here. "
            "Nothing was done."
        )
    return dict(state)


def _refuse_newer(state: dict[str, Any], terraform_version: str, place: str) -> None:
    written_by = str(state["terraform_version"])
    if _number(written_by) > _number(terraform_version):
        raise TerraformTooOld(
            f"The state {place} was written by Terraform {written_by}, and this worker has {terraform_version}. "
            f"Nothing was done. Install Terraform {written_by} or newer on every worker."
        )


def _refuse_other(found: StateIdentity, expected: StateIdentity, place: str) -> None:
    if found.lineage != expected.lineage:
        raise StateUnfit(
            f"The state {place} is another one: its lineage is {found.lineage}, and that of this service's runs "
            f"{expected.lineage}. {_TO_DO}"
        )
    if found.serial < expected.serial:
        raise StateUnfit(
            f"The state {place} is an older one: its serial is {found.serial}, and the last run had "
            f"{expected.serial}. {_TO_DO}"
        )


def _number(version: str) -> tuple[int, ...]:
    """1.11.4 of "1.11.4" and of "1.11.4-beta2"."""
    return tuple(map(int, re.findall(r"\d+", version.partition("-")[0])[:3]))


_TO_DO = (
    "Nothing was done. Bring the right one back, from a backup or the bucket's versions; if this is the right one, "
    "say so with `manage.py accept_state`. Then plan again: see docs/storage.md."
)

"""Plans that Terraform 1.11 and the AWS provider 5.100 made of the module, through a whole life.

`plans/plans.json` has each plan's `show -json` document, cut down to the keys that the guard reads;
`plans/resource_changes.json` has their resource changes, most of which several plans share. `plans/configured.json`
has plans of a service whose candidate gets another configuration, and another, and the module's defaults again.
`plans/swapped.json` has plans and resource changes from a promotion on that was followed by a swap of the colours.
`plans/set_ups.json` has set-ups: with all that a service can have, again after half of that was made, with a role that
was given. `plans/log_groups.json` has a settings run and a set-up that find the functions' log groups made by Lambda;
`plans/taken_over.json` a set-up that finds what an interrupted one has made.
"""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

from releases.domain.canary import CanaryHeader
from releases.domain.plans.expectation import Expectation
from releases.domain.provisioning.blueprint import Blueprint
from releases.domain.provisioning.execution_role import ExecutionRole, RoleRights
from releases.domain.provisioning.settings import Settings, SettingsChange
from releases.domain.traffic import Color, TrafficState, Transition, Version
from releases.domain.versions.environment import secret
from terraform_runner.domain.plan import Plan, parse_plan

_FOLDER = Path(__file__).parent / "plans"
_PLANS = json.loads((_FOLDER / "plans.json").read_text())
_CHANGES = json.loads((_FOLDER / "resource_changes.json").read_text())
_SWAPPED = json.loads((_FOLDER / "swapped.json").read_text())
_WHOLE = {
    name: shown
    for file in ("configured.json", "set_ups.json", "log_groups.json", "taken_over.json")
    for name, shown in json.loads((_FOLDER / file).read_text()).items()
}

PREFIX = "module.service."
TRAFFIC, CANARY = f"{PREFIX}aws_lb_listener_rule.traffic", f"{PREFIX}aws_lb_listener_rule.canary"
BLUE_FUNCTION, GREEN_FUNCTION = (f"{PREFIX}aws_lambda_function.{color}" for color in Color)
BLUE_ALIAS, GREEN_ALIAS = (f"{PREFIX}aws_lambda_alias.{color}" for color in Color)
YOU = ("127.0.0.9/32",)
ROLE = f"{PREFIX}aws_iam_role.this[0]"

Document = dict[str, Any]


def document(name: str) -> Document:
    """A plan as Terraform shows it, to be changed at will."""
    if name in _WHOLE:
        whole: Document = deepcopy(_WHOLE[name])
        return whole
    plans, changes = (
        (_SWAPPED["plans"], _SWAPPED["resource_changes"]) if name in _SWAPPED["plans"] else (_PLANS, _CHANGES)
    )
    shown: Document = deepcopy(plans[name])
    shown["resource_changes"] = [deepcopy(changes[index]) for index in shown["resource_changes"]]
    return shown


def resource(shown: Document, address: str) -> Document:
    """One resource change of a document."""
    return next(change for change in shown["resource_changes"] if change["address"] == address)


def change_of(shown: Document, address: str) -> Document:
    """What is done with one resource of a document: actions, before, after, …"""
    change: Document = resource(shown, address)["change"]
    return change


def plan(name: str) -> Plan:
    """A plan, parsed."""
    return parse_plan(document(name))


def _image(name: str, address: str) -> Version:
    return Version(image=change_of(document(name), address)["after"]["image_uri"])


BLUE_IMAGE = _image("set_up", BLUE_FUNCTION)
GREEN_IMAGE = _image("first_rotation", GREEN_FUNCTION)
YELLOW_IMAGE = _image("rotate_candidate", GREEN_FUNCTION)
BLUE_GROUP, GREEN_GROUP = (
    change_of(document("canary"), f"{PREFIX}aws_lb_target_group.{color}")["before"]["arn"] for color in Color
)

REVEALED = {"t0": "correct horse"}
CONFIGURATION: Document = {
    "memory_size": 512,
    "timeout": 60,
    "environment": {"LEVEL": "info", "PASSWORD": secret("t0")},
    "architectures": ["arm64"],
    "ephemeral_storage": 1024,
    "subnet_ids": ["subnet-0a1b2c3d"],
    "security_group_ids": ["sg-0a1b2c3d"],
    "tracing_mode": "Active",
    "image_config": {"command": ["serve"], "working_directory": "/srv"},
}
ANOTHER_CONFIGURATION = {
    **CONFIGURATION,
    "environment": {"LEVEL": "debug", "PASSWORD": secret("t0")},
    "subnet_ids": ["subnet-0a1b2c3e"],
    "image_config": {"entry_point": ["/bin/x"]},
}


def _state(blue: Version, green: Version, share: int, *, canary: bool = False) -> TrafficState:
    everyone = TrafficState(
        active_color=Color.BLUE, blue=blue, green=green, green_weight=share, activate_canary=False
    )
    return everyone.with_canary(canary, YOU)


def _first(share: int, *, canary: bool = False) -> TrafficState:
    return _state(BLUE_IMAGE, GREEN_IMAGE, share, canary=canary)


def _second(share: int, *, canary: bool = False) -> TrafficState:
    return _state(GREEN_IMAGE, YELLOW_IMAGE, share, canary=canary)


def _swapped(blue: Version, green: Version, green_weight: int, *, canary: bool = False) -> TrafficState:
    return replace(_state(blue, green, green_weight, canary=canary), active_color=Color.GREEN)


def _third(green_weight: int, *, canary: bool = False) -> TrafficState:
    return _swapped(YELLOW_IMAGE, GREEN_IMAGE, green_weight, canary=canary)


def _configured(configuration: Document) -> TrafficState:
    return _state(BLUE_IMAGE, replace(BLUE_IMAGE, configuration=configuration), 0)


_BEGIN = _state(BLUE_IMAGE, BLUE_IMAGE, 0)
_CONFIGURED_BEGIN = _configured(CONFIGURATION).with_version(
    Color.BLUE, replace(BLUE_IMAGE, configuration=CONFIGURATION)
)
_COPIED = _state(GREEN_IMAGE, GREEN_IMAGE, 100)
_STATES = {
    "set_up": (Transition.SET_UP, _BEGIN, _BEGIN),
    "first_rotation": (Transition.ROTATE_CANDIDATE, _BEGIN, _first(0)),
    "canary": (Transition.CANARY, _first(0), _first(0, canary=True)),
    "shift_up": (Transition.SHIFT, _first(0, canary=True), _first(50, canary=True)),
    "shift_down": (Transition.SHIFT, _first(50, canary=True), _first(10, canary=True)),
    "rollback": (Transition.ROLLBACK, _first(10, canary=True), _first(0)),
    "promote": (Transition.PROMOTE, _first(10, canary=True), _first(100)),
    "rotate_stable": (Transition.ROTATE_STABLE, _first(100), _COPIED),
    "rotate_traffic": (Transition.ROTATE_TRAFFIC, _COPIED, _state(GREEN_IMAGE, GREEN_IMAGE, 0)),
    "rotate_candidate": (Transition.ROTATE_CANDIDATE, _state(GREEN_IMAGE, GREEN_IMAGE, 0), _second(0)),
    "rollback_in_rotation": (Transition.ROLLBACK, _second(30, canary=True), _second(100)),
    # The emergency button has set both rules; Terraform's part is to agree.
    "converge": (Transition.ROLLBACK, _second(30, canary=True), _second(0)),
    # The run was lost after AWS had changed: what is real is what was wanted, and nothing is left to do.
    "shift_lost": (Transition.SHIFT, _second(0), _second(25)),
    "swap_colors": (Transition.SWAP_COLORS, _first(100), _swapped(BLUE_IMAGE, GREEN_IMAGE, 100)),
    "swapped_rotation": (
        Transition.ROTATE_CANDIDATE,
        _swapped(BLUE_IMAGE, GREEN_IMAGE, 100),
        _third(100),
    ),
    "swapped_canary": (Transition.CANARY, _third(100), _third(100, canary=True)),
    "swapped_shift_up": (Transition.SHIFT, _third(100, canary=True), _third(50, canary=True)),
    "swapped_shift_down": (Transition.SHIFT, _third(50, canary=True), _third(90, canary=True)),
    "swapped_rollback": (Transition.ROLLBACK, _third(90, canary=True), _third(100)),
    "swapped_promote": (Transition.PROMOTE, _third(100), _third(0)),
    "swapped_back": (Transition.SWAP_COLORS, _third(0), replace(_third(0), active_color=Color.BLUE)),
    "swapped_copy": (Transition.ROTATE_STABLE, _third(0), _swapped(YELLOW_IMAGE, YELLOW_IMAGE, 0)),
    "swapped_traffic": (
        Transition.ROTATE_TRAFFIC,
        _swapped(YELLOW_IMAGE, YELLOW_IMAGE, 0),
        _swapped(YELLOW_IMAGE, YELLOW_IMAGE, 100),
    ),
    "swapped_candidate": (
        Transition.ROTATE_CANDIDATE,
        _swapped(YELLOW_IMAGE, YELLOW_IMAGE, 100),
        _swapped(BLUE_IMAGE, YELLOW_IMAGE, 100),
    ),
    "set_up_configured": (Transition.SET_UP, _CONFIGURED_BEGIN, _CONFIGURED_BEGIN),
    "configure": (Transition.ROTATE_CANDIDATE, _BEGIN, _configured(CONFIGURATION)),
    "reconfigure": (
        Transition.ROTATE_CANDIDATE,
        _configured(CONFIGURATION),
        _configured(ANOTHER_CONFIGURATION),
    ),
    "unconfigure": (Transition.ROTATE_CANDIDATE, _configured(ANOTHER_CONFIGURATION), _BEGIN),
    **dict.fromkeys(
        ("set_up_complete", "set_up_resumed", "set_up_given_role"), (Transition.SET_UP, _BEGIN, _BEGIN)
    ),
}
GOOD = sorted(_STATES)

COMPLETE = Settings(
    hostnames=("shop.example.com",),
    paths=("/api/*",),
    priority=300,
    canary_slots=3,
    tags={"team": "pay"},
    log_retention_days=30,
    stickiness_seconds=600,
    provisioned_concurrency=2,
)
_SETTINGS = {"set_up_complete": COMPLETE, "set_up_resumed": COMPLETE}
_BLUEPRINT = Blueprint(
    name="nginx-lambda",
    family="nginx-svc",
    region="eu-central-1",
    account_id="123456789012",
    listener_arn="",
)
_LEAST = ExecutionRole(
    rights=RoleRights.LEAST, permissions_boundary="arn:aws:iam::123456789012:policy/bluegreen-boundary"
)
_ROLES = {
    "set_up_complete": _LEAST,
    "set_up_resumed": _LEAST,
    "set_up_given_role": ExecutionRole(arn="arn:aws:iam::123456789012:role/given"),
}


def expectation(name: str) -> Expectation:
    """What a good plan was made for."""
    transition, before, after = _STATES[name]
    settings = _SETTINGS.get(name, Settings())
    made = Expectation(
        transition=transition,
        before=before,
        after=after,
        blue_target_group_arn=BLUE_GROUP,
        green_target_group_arn=GREEN_GROUP,
        hostnames=settings.hostnames,
        paths=settings.paths,
        priority=settings.priority,
        canary_slots=settings.canary_slots,
        stickiness_seconds=settings.stickiness_seconds,
        revealed=REVEALED,
    )
    return made if transition is not Transition.SET_UP else _of_set_up(name, made, settings)


def _of_set_up(name: str, made: Expectation, settings: Settings) -> Expectation:
    """The configured service has the same name as its family; each set-up was another sandbox's, with its listener."""
    is_complete = settings is COMPLETE
    blueprint = replace(
        _BLUEPRINT,
        name="nginx-svc" if name == "set_up_configured" else _BLUEPRINT.name,
        listener_arn=change_of(document(name), TRAFFIC)["after"]["listener_arn"],
        role=_ROLES.get(name, ExecutionRole()),
    )
    return replace(
        made,
        blue_target_group_arn="",
        green_target_group_arn="",
        settings=SettingsChange(before=settings, after=settings),
        blueprint=blueprint,
        canary_header=CanaryHeader(name="X-Canary", value="correct-horse-battery") if is_complete else None,
    )

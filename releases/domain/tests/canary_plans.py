"""The recorded plans as they are for a service with two canary slots, a header and stickiness.

The further rules are made from the canary rule's in each plan: the module writes them alike.
"""

from copy import deepcopy
from dataclasses import replace

from releases.domain.canary import CanaryHeader
from releases.domain.plans.expectation import HEADER_RULE, SLOT_RULES, Expectation
from releases.domain.tests.real_plans import (
    CANARY,
    PREFIX,
    TRAFFIC,
    Document,
    change_of,
    document,
    expectation,
    resource,
)
from releases.domain.traffic import NOBODY, TrafficState

SLOT, HEADER = PREFIX + SLOT_RULES[1], PREFIX + HEADER_RULE
SECRET = "abcdefgh_12345678"
ADDRESSES = ("127.0.0.9/32", "203.0.113.7/32", "2001:db8::/48", "198.51.100.1/32")
STICKY_SECONDS = 3600
# Those that switch the canary or divide the users, and a set-up.
WITH_ALL = ["set_up", "canary", "shift_up", "shift_down", "promote", "rollback", "converge", "swap_colors"]


def expectation_with_all(name: str) -> Expectation:
    """What such a plan was made for."""
    made = expectation(name)
    settings = made.settings
    if settings is not None:
        all_of_them = replace(settings.after, canary_slots=2, stickiness_seconds=STICKY_SECONDS)
        settings = replace(settings, before=all_of_them, after=all_of_them)
    return replace(
        made,
        before=_with_addresses(made.before),
        after=_with_addresses(made.after),
        canary_slots=2,
        canary_header=CanaryHeader(name="X-Canary", value=SECRET),
        stickiness_seconds=STICKY_SECONDS,
        settings=settings,
    )


def document_with_all(name: str) -> Document:
    """A plan as Terraform shows it for such a service, to be changed at will."""
    shown = document(name)
    slot, header = (deepcopy(resource(shown, CANARY)) for _ in range(2))
    slot |= {"address": SLOT, "name": "canary_slot"}
    header |= {"address": HEADER, "name": "header"}
    shown["resource_changes"] += [slot, header]
    for side in ("before", "after"):
        _each_rule(shown, side)
    for address in (TRAFFIC, CANARY, SLOT, HEADER):
        _as_update_or_not(change_of(shown, address))
    return shown


def _with_addresses(state: TrafficState) -> TrafficState:
    return state.with_canary(state.activate_canary, ADDRESSES)


def _each_rule(shown: Document, side: str) -> None:
    rules = [change_of(shown, address)[side] for address in (CANARY, SLOT, HEADER)]
    traffic = change_of(shown, TRAFFIC)[side]
    if traffic is None:
        return
    on = rules[0]["condition"][-1]["source_ip"][0]["values"] != [NOBODY]
    for position, (rule, addresses) in enumerate(zip(rules, (ADDRESSES[:3], ADDRESSES[3:], ()), strict=True)):
        rule["priority"] -= position
        rule["condition"][-1]["source_ip"] = [{"values": list(addresses) if on else [NOBODY]}]
    conditions = rules[2]["condition"]
    by_header = {"http_header_name": "X-Canary", "values": [SECRET]}
    conditions.insert(1, {**{kind: [] for kind in conditions[0]}, "http_header": [by_header]})
    if on:
        conditions.pop()
    forward = traffic["action"][0]["forward"][0]
    if all(group["weight"] for group in forward["target_group"]):
        forward["stickiness"] = [{"duration": STICKY_SECONDS, "enabled": True}]


def _as_update_or_not(change: Document) -> None:
    if change["before"] is not None:
        change["actions"] = ["no-op"] if change["before"] == change["after"] else ["update"]

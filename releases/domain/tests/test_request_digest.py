"""Any change of what will run changes the digest that a request's approval is bound to (FAULTS P23)."""

from dataclasses import fields, replace
from typing import Any

import pytest

from releases.domain.approval.request_digest import RequestedStep, RequestIdentity

STEP = RequestedStep(transition="shift", share=10, gate=True, automatic=False, bake=300)
REQUEST = RequestIdentity(
    service="s1",
    release="r1",
    image="repository@sha256:1",
    configuration={"memory": 512, "environment": {"MODE": "fast"}},
    canary_addresses=["203.0.113.7/32"],
    steps=[STEP],
    versions={"module": "1", "terraform": "1.11.4", "registry.terraform.io/hashicorp/aws": "5.100.0"},
)
OTHERS: list[dict[str, Any]] = [
    {"service": "s2"},
    {"release": "r2"},
    {"image": "repository@sha256:2"},
    {"configuration": {"memory": 512, "environment": {"MODE": "slow"}}},
    {"canary_addresses": []},
    {"steps": []},
    {"steps": [STEP, STEP]},
    {"versions": {**REQUEST.versions, "terraform": "1.12.0"}},
    *(
        {"steps": [replace(STEP, **other)]}
        for other in (
            {"transition": "promote"},
            {"share": 11},
            {"gate": False},
            {"automatic": True},
            {"bake": 0},
        )
    ),
]


def test_the_same_request_has_the_same_digest_in_whatever_order_it_is_written():
    turned = {"environment": {"MODE": "fast"}, "memory": 512}
    assert replace(REQUEST, configuration=turned, steps=(STEP,)).digest == REQUEST.digest


@pytest.mark.parametrize("other", OTHERS, ids=str)
def test_whatever_is_different_makes_another_digest(other):
    assert replace(REQUEST, **other).digest != REQUEST.digest


def test_each_field_of_a_request_and_of_a_step_is_tried():
    assert {name for other in OTHERS for name in other} == {one.name for one in fields(RequestIdentity)}
    steps = [other["steps"][0] for other in OTHERS if other.get("steps")]
    different = {
        one.name
        for step in steps
        for one in fields(step)
        if getattr(step, one.name) != getattr(STEP, one.name)
    }
    assert different == {one.name for one in fields(RequestedStep)}

import json
from typing import Any

from terraform_runner.domain.tainted import tainted


def state(*resources: dict[str, Any]) -> bytes:
    return json.dumps({"version": 4, "resources": resources}).encode()


def test_a_resource_whose_making_was_interrupted_is_found_by_its_address():
    whole: dict[str, Any] = {"type": "aws_x", "name": "whole", "instances": [{"attributes": {}}]}
    cut: dict[str, Any] = {
        "type": "aws_x",
        "name": "cut",
        "instances": [{"status": "tainted", "attributes": {}}],
    }
    assert tainted(state(whole, cut)) == ("aws_x.cut",)


def test_it_is_found_in_a_module_and_among_several():
    instances: list[dict[str, Any]] = [
        {"index_key": 0, "status": "tainted"},
        {"index_key": 1},
        {"index_key": "2", "status": "tainted"},
    ]
    counted: dict[str, Any] = {
        "module": "module.service",
        "type": "aws_x",
        "name": "slot",
        "instances": instances,
    }
    assert tainted(state(counted)) == ("module.service.aws_x.slot[0]", 'module.service.aws_x.slot["2"]')


def test_a_new_state_has_none():
    assert tainted(b'{"version": 4}') == ()

from typing import Any

import pytest

from releases.domain.plans.function_views import (
    CONFIGURED,
    expected_attributes,
    function_attributes,
    unknown_function_names,
)
from releases.domain.plans.plan_blocks import UnknownShape
from releases.domain.tests.real_plans import (
    ANOTHER_CONFIGURATION,
    CONFIGURATION,
    GREEN_FUNCTION,
    REVEALED,
    change_of,
    document,
)
from releases.domain.versions.configuration import DEFAULTS, in_the_clear


@pytest.mark.parametrize(
    ("name", "when", "configuration"),
    [
        ("configure", "before", {}),
        ("configure", "after", CONFIGURATION),
        ("reconfigure", "before", CONFIGURATION),
        ("reconfigure", "after", ANOTHER_CONFIGURATION),
        ("unconfigure", "before", ANOTHER_CONFIGURATION),
        ("unconfigure", "after", {}),
        ("set_up_configured", "after", CONFIGURATION),
        ("set_up", "after", {}),
    ],
)
def test_what_terraform_shows_is_what_the_configuration_asks_for(name, when, configuration):
    found = function_attributes(change_of(document(name), GREEN_FUNCTION)[when])
    wanted = expected_attributes(in_the_clear(configuration, REVEALED))
    assert {attribute: found[attribute] for attribute in CONFIGURED} == wanted


def test_every_field_of_a_configuration_has_its_attribute():
    unlike: dict[str, Any] = {
        "memory_size": 256,
        "timeout": 31,
        "environment": {"A1": "x"},
        "architectures": ["arm64"],
        "ephemeral_storage": 513,
        "tracing_mode": "Active",
        "image_config": {"command": ["x"]},
        "reserved_concurrency": 1,
    }
    network = {"subnet_ids": ["subnet-0a1b2c3d"], "security_group_ids": ["sg-0a1b2c3d"]}
    assert unlike.keys() | network.keys() == DEFAULTS.keys()
    default = expected_attributes({})
    for one in (*({name: value} for name, value in unlike.items()), network):
        changed = {name for name, value in expected_attributes(one).items() if value != default[name]}
        assert len(changed) == 1, one


def test_a_network_of_nothing_is_none():
    nothing = {"vpc_config": [{"subnet_ids": [], "security_group_ids": [], "vpc_id": ""}]}
    view = function_attributes(nothing)
    assert (view["vpc_config"], view["vpc_id"]) == ({}, None)


def test_a_network_with_more_than_is_known_has_an_unknown_shape():
    with pytest.raises(UnknownShape):
        function_attributes({"vpc_config": [{"subnet_ids": ["subnet-0a1b2c3d"], "shared": True}]})
    ipv6 = {"vpc_config": [{"subnet_ids": ["subnet-0a1b2c3d"], "ipv6_allowed_for_dual_stack": True}]}
    assert function_attributes(ipv6)["vpc_config"]["ipv6_allowed"] is True


def test_the_networks_id_is_unknown_on_its_own():
    assert unknown_function_names({"vpc_config.vpc_id", "version"}) == {"vpc_id", "version"}
    assert unknown_function_names({"vpc_config"}) == {"vpc_config", "vpc_id"}
    assert unknown_function_names({"vpc_config.subnet_ids", "environment.variables.LEVEL"}) == {
        "vpc_config",
        "environment",
    }

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.modules import __file__ as modules_file
from releases.domain.versions.configuration import (
    DEFAULTS,
    RANGES,
    InvalidConfiguration,
    complete,
    in_the_clear,
    normalise,
    secret_names,
    without_defaults,
)
from releases.domain.versions.environment import secret

SUBNETS = ["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d"]
GROUPS = ["sg-0a1b2c3d"]
FULL = {
    "memory_size": 512,
    "timeout": 60,
    "environment": {"LEVEL": "info", "PASSWORD": secret("t0")},
    "architectures": ["arm64"],
    "ephemeral_storage": 1024,
    "subnet_ids": sorted(SUBNETS),
    "security_group_ids": GROUPS,
    "tracing_mode": "Active",
    "image_config": {
        "command": ["serve", "--port=80"],
        "entry_point": ["/bin/app"],
        "working_directory": "/srv",
    },
    "reserved_concurrency": 5,
}
REVEALED = {"t0": "correct horse"}


def refused(**given_fields) -> tuple[str, str]:
    with pytest.raises(InvalidConfiguration) as refusal:
        normalise(given_fields, revealed=REVEALED)
    assert refusal.value.code == f"configuration:{refusal.value.field}"
    return refusal.value.field, refusal.value.message


def test_a_full_configuration_is_its_own_form():
    assert normalise(FULL, revealed=REVEALED) == FULL


def test_defaults_are_left_out_so_that_equal_configurations_are_equal():
    assert normalise(DEFAULTS) == {}
    assert normalise({"memory_size": 128, "timeout": 31}) == {"timeout": 31}
    assert complete({"timeout": 31}) == {**DEFAULTS, "timeout": 31}
    assert without_defaults(complete(FULL)) == FULL


@pytest.mark.parametrize("color", ["blue", "green"])
def test_the_defaults_are_the_modules(color):
    module = modules_file.replace("__init__.py", "lambda-blue-green/variables.tf")
    with open(module) as file:
        block = re.search(rf'variable "{color}_config" {{(.*?)^}}', file.read(), re.DOTALL | re.MULTILINE)
    assert block
    written = dict(re.findall(r"^ {4}(\w+) += optional\(.+, (.+)\)$", block[1], re.MULTILINE))
    shown = {
        name: str(value).replace("'", '"')
        for name, value in DEFAULTS.items()
        if name not in {"tracing_mode", "image_config"} and name in written
    }
    assert written == {**shown, "tracing_mode": '"PassThrough"'}
    assert written.keys() >= DEFAULTS.keys() - {"image_config", "reserved_concurrency"}


@pytest.mark.parametrize("name", RANGES)
def test_numbers_have_their_range(name):
    least, most, unit = RANGES[name]
    default = DEFAULTS[name]
    for value in (least, most):
        assert normalise({name: value}) == ({} if value == default else {name: value})
    wrong: list[object] = [least - 1, most + 1, -7, 10**9, 128.5, "512", "٣", True, [512]]
    for no_number in wrong:
        assert refused(**{name: no_number}) == (
            name,
            f"Write a whole number from {least} to {most} ({unit}).",
        )


def test_no_reserved_concurrency_may_be_said_in_two_ways():
    assert normalise({"reserved_concurrency": None}) == normalise({"reserved_concurrency": -1}) == {}


@pytest.mark.parametrize("value", [["x86"], ["x86_64", "arm64"], [], "arm64", None, ["${var.x}"]])
def test_an_architecture_is_one_of_two(value):
    assert refused(architectures=value) == ("architectures", "Choose one of x86_64 and arm64.")


@pytest.mark.parametrize("value", ["active", "", None, ["Active"]])
def test_tracing_is_one_of_two(value):
    assert refused(tracing_mode=value)[0] == "tracing_mode"


def test_the_order_of_subnets_means_nothing():
    one = normalise({"subnet_ids": SUBNETS, "security_group_ids": GROUPS})
    assert one == normalise({"subnet_ids": [*SUBNETS[::-1], SUBNETS[0]], "security_group_ids": GROUPS})


@pytest.mark.parametrize(
    ("given_fields", "field"),
    [
        ({"subnet_ids": SUBNETS}, "security_group_ids"),
        ({"security_group_ids": GROUPS}, "subnet_ids"),
        ({"subnet_ids": ["subnet-xyz"], "security_group_ids": GROUPS}, "subnet_ids"),
        ({"subnet_ids": ["subnet-0a1b2c3d\n"], "security_group_ids": GROUPS}, "subnet_ids"),
        ({"subnet_ids": SUBNETS, "security_group_ids": ["sg-${x}"]}, "security_group_ids"),
        ({"subnet_ids": "subnet-0a1b2c3d", "security_group_ids": GROUPS}, "subnet_ids"),
        (
            {"subnet_ids": SUBNETS, "security_group_ids": [f"sg-0a1b2c3{n}" for n in range(6)]},
            "security_group_ids",
        ),
    ],
)
def test_a_network_is_both_or_neither_and_made_of_ids(given_fields, field):
    assert refused(**given_fields)[0] == field


def test_an_image_config_that_says_nothing_is_none():
    assert normalise({"image_config": {}}) == {}
    assert normalise({"image_config": {"command": [], "entry_point": None, "working_directory": ""}}) == {}
    assert normalise({"image_config": {"command": ["serve"], "entry_point": []}}) == {
        "image_config": {"command": ["serve"]}
    }


@pytest.mark.parametrize(
    ("image_config", "field"),
    [
        ({"command": "serve"}, "command"),
        ({"command": [1]}, "command"),
        ({"command": ["a\x00"]}, "command"),
        ({"command": ["a\n"]}, "command"),
        ({"entry_point": ["x"] * 101}, "entry_point"),
        ({"entry_point": ["x" * 1001]}, "entry_point"),
        ({"working_directory": "srv"}, "working_directory"),
        ({"working_directory": "/" + "x" * 1000}, "working_directory"),
        ({"working_directory": "/a\x1b"}, "working_directory"),
        ({"user": "root"}, "image_config"),
        ("serve", "image_config"),
    ],
)
def test_an_image_config_that_lambda_would_refuse_names_its_part(image_config, field):
    assert refused(image_config=image_config)[0] == field


@pytest.mark.parametrize("text", ['${file("/etc/passwd")}', "%{if true}", 'a"b', "é", "=1+1", "<script>"])
def test_arguments_are_any_printable_text(text):
    assert normalise({"image_config": {"command": [text]}}) == {"image_config": {"command": [text]}}


def test_an_environment_that_lambda_would_refuse_is_refused():
    assert refused(environment={"AWS_REGION": "x"})[0] == "environment"
    assert refused(environment=["A=b"])[0] == "environment"
    assert refused(environment={1: "x"})[0] == "environment"


@pytest.mark.parametrize("name", ["role", "layers", "function_name", "image_uri", "x" * 10_000])
def test_what_is_no_setting_of_a_version_is_refused(name):
    field, message = refused(**{name: "x"})
    assert message.startswith("There is no setting")
    assert len(field) <= 40


def test_secrets_are_in_the_clear_only_where_they_are_revealed():
    assert in_the_clear(FULL, REVEALED)["environment"] == {"LEVEL": "info", "PASSWORD": "correct horse"}
    assert in_the_clear({"timeout": 5}, {}) == {"timeout": 5}
    assert secret_names(FULL) == ["PASSWORD"]
    assert secret_names({}) == []


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "memory_size": st.integers(128, 10_240),
            "timeout": st.integers(1, 900),
            "environment": st.dictionaries(st.sampled_from(["LEVEL", "MODE"]), st.text("abc${}", max_size=9)),
            "architectures": st.sampled_from([["arm64"], ["x86_64"]]),
            "image_config": st.none()
            | st.fixed_dictionaries({"command": st.lists(st.text("ab", max_size=2))}),
        },
    )
)
def test_a_form_is_the_form_of_itself(configuration):
    once = normalise(configuration)
    assert normalise(once) == once == normalise(complete(once))

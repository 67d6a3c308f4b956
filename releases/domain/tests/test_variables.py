from dataclasses import replace

import hcl2

from releases.domain.plans.variables import variable_lines, variables, variables_text
from releases.domain.tests.states import NEW, OLD, state
from releases.domain.traffic import Color
from releases.domain.versions.environment import HIDDEN, secret


def test_the_block_reads_as_people_write_it():
    assert variables_text(state(10, canary=True), family="nginx-svc") == (
        'family          = "nginx-svc"\n'
        f'blue_image      = "{OLD.image}"\n'
        f'green_image     = "{NEW.image}"\n'
        'active_color    = "blue"\n'
        "activate_canary = true\n"
        "green_weight    = 10\n"
    )


def test_green_weight_is_literal_when_green_is_stable():
    values = dict(variables(state(10, active=Color.GREEN), family="nginx-svc"))
    assert (values["active_color"], values["green_weight"]) == ('"green"', "90")


def test_only_the_changed_lines_are_marked():
    lines = variable_lines(state(10, canary=True), state(100), family="nginx-svc")
    assert [line.text for line in lines if line.changed] == [
        "activate_canary = false",
        "green_weight    = 100",
    ]


def test_a_family_can_not_become_code():
    values = dict(variables(state(), family='a"${file("/etc/passwd")}%{if true}é'))
    assert values["family"] == r'"a\"$${file(\"/etc/passwd\")}%%{if true}é"'


HOSTILE = '${file("/etc/passwd")}%{ if true }"\n}'
CONFIGURATION = {
    "memory_size": 256,
    "environment": {"LEVEL": HOSTILE, "PASSWORD": secret("t0")},
    "image_config": {"command": ["serve", HOSTILE]},
}


def configured(**changed):
    return state().with_version(Color.GREEN, replace(NEW, configuration={**CONFIGURATION, **changed}))


def test_configurations_are_lines_of_their_own_with_their_secrets_masked():
    values = dict(variables(configured(), family="nginx-svc"))
    assert values["blue_config"] == "{}"
    assert values["green_config"].startswith("{ memory_size = 256, environment = { LEVEL = ")
    assert f'PASSWORD = "{HIDDEN}"' in values["green_config"]
    assert "t0" not in variables_text(configured(), family="nginx-svc")


def test_a_configuration_can_not_become_code():
    text = variables_text(configured(), family="nginx-svc")
    assert "${" not in text.replace("$${", "")
    assert "%{" not in text.replace("%%{", "")
    (read,) = [line for line in text.splitlines() if line.startswith("green_config")]
    assert len(text.splitlines()) == 8
    assert hcl2.loads(f"{read}\n")


def test_a_changed_secret_is_a_changed_line_though_nobody_sees_it():
    other = configured(environment={"LEVEL": HOSTILE, "PASSWORD": secret("t1")})
    lines = variable_lines(configured(), other, family="nginx-svc")
    (changed,) = [line.text for line in lines if line.changed]
    assert changed.startswith("green_config ")


def test_a_configuration_that_appears_or_goes_is_shown_against_none():
    for before, after, shown in ((state(), configured(), "{ memory"), (configured(), state(), "{}")):
        (changed,) = [line for line in variable_lines(before, after, family="x") if line.changed]
        assert changed.text.partition(" = ")[2].startswith(shown)

from releases.domain.tests.states import NEW, OLD, state
from releases.domain.traffic import Color
from releases.domain.variables import variable_lines, variables, variables_text


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

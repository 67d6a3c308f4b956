from releases.domain.tests.test_configuration import FULL
from releases.domain.versions.configuration_words import changes, label, settings_in_words
from releases.domain.versions.environment import secret


def said(before, after) -> list[str]:
    return [str(change) for change in changes(before, after)]


def test_equal_configurations_differ_in_nothing():
    assert said(FULL, dict(FULL)) == said({}, {"memory_size": 128}) == []


def test_each_setting_is_told_by_a_name_that_people_know():
    assert said({}, {k: v for k, v in FULL.items() if k != "environment"}) == [
        "memory: 128 MB → 512 MB",
        "timeout: 30 seconds → 60 seconds",
        "temporary storage: 512 MB → 1024 MB",
        "architecture: x86_64 → arm64",
        "reserved concurrency: none → 5 calls at a time",
        "subnets: none → subnet-0a1b2c3d, subnet-0a1b2c3d4e5f60718",
        "security groups: none → sg-0a1b2c3d",
        "tracing: PassThrough → Active",
        "command: none → serve, --port=80",
        "entry point: none → /bin/app",
        "working directory: none → /srv",
    ]


def test_variables_are_told_one_by_one_and_an_empty_one_is_not_none():
    before = {"environment": {"KEPT": "same", "LEVEL": "info", "OLD": "gone"}}
    after = {"environment": {"KEPT": "same", "LEVEL": "", "NEW": "here"}}
    assert said(before, after) == [
        "environment LEVEL: info → empty",
        "environment NEW: none → here",
        "environment OLD: gone → none",
    ]


def test_a_secret_is_never_told():
    one, other, plain, nothing = (
        {"environment": environment}
        for environment in (
            {"PASSWORD": secret("t0")},
            {"PASSWORD": secret("t1")},
            {"PASSWORD": "public"},
            {},
        )
    )
    assert said(one, other) == ["environment PASSWORD: secret → changed"]
    assert said(nothing, one) == ["environment PASSWORD: none → secret"]
    assert said(one, nothing) == ["environment PASSWORD: secret → none"]
    assert said(plain, one) == ["environment PASSWORD: public → secret"]
    assert said(one, plain) == ["environment PASSWORD: secret → public"]


def test_a_configuration_is_told_whole_with_its_defaults():
    shown = {setting.name: setting.value for setting in settings_in_words(FULL)}
    assert shown["memory"] == "512 MB"
    assert shown["environment LEVEL"] == "info"
    assert shown["environment PASSWORD"] == "secret"
    assert list(shown)[-2:] == ["environment LEVEL", "environment PASSWORD"]
    defaults = {setting.name: setting.value for setting in settings_in_words({})}
    assert (defaults["reserved concurrency"], defaults["command"], defaults["tracing"]) == (
        "none",
        "none",
        "PassThrough",
    )


def test_a_single_field_has_a_name_for_people():
    assert (label("memory_size"), label("image_config")) == ("memory", "image config")

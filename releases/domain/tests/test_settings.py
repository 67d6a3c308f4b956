import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.provisioning.settings import Settings, from_columns, to_columns
from releases.domain.provisioning.settings_rules import change_problems, problems
from releases.domain.provisioning.settings_words import differences, told

GOOD = Settings(
    hostnames=("shop.example.com", "*.shop.example.com"),
    paths=("/api/*", "/v?/~user"),
    canary_slots=3,
    tags={"team": "Pay", "cost centre": "a/b:c=d+e@f"},
    log_retention_days=30,
    stickiness_seconds=3600,
    provisioned_concurrency=5,
)

HEADER: dict[str, Any] = {"canary_header_name": "X-Canary", "canary_header_value": "token-1"}

# FAULTS P9 and P4: quotes, markup, templates, line ends, bidirectional marks, look-alikes, length.
HOSTILE = [
    "",
    " ",
    "a b",
    "${var.family}",
    "%{ if true }x",
    'x"',
    "x'",
    "x\\",
    "<script>alert(1)</script>",
    "shop\nexample",
    "shop\r\n",
    "shop\x00",
    "shop\u202eexample",
    "shop\u200b",
    "\u0455hop.example.com",
    "🛒",
    "a" * 10_000,
]


def test_what_aws_takes_is_taken():
    assert problems(GOOD) == {}
    assert problems(Settings()) == {}


@pytest.mark.parametrize("value", HOSTILE)
def test_a_hostile_host_is_refused_in_few_visible_words(value):
    found = problems(Settings(hostnames=(value,)))["hostnames"]
    assert "is no host: write letters" in found
    assert found.isprintable()
    assert len(found) < 300


@pytest.mark.parametrize("value", [*HOSTILE, "api", "*"])
def test_a_hostile_path_is_refused(value):
    assert "is no path: write a slash first" in problems(Settings(paths=(value,)))["paths"]


@pytest.mark.parametrize("value", [f"/{value}" for value in HOSTILE if value])
def test_a_path_is_refused_for_what_comes_after_its_slash_too(value):
    assert "paths" in problems(Settings(paths=(value,)))


@pytest.mark.parametrize("key", ["", " x", "${x}", 'x"', "x\n", "\u202ex", "=<b>", "k" * 129])
def test_a_hostile_tag_is_refused(key):
    found = problems(Settings(tags={key: "value"}))["tags"]
    assert "is no tag" in found
    assert found.isprintable()


@pytest.mark.parametrize("value", ["${x}", "x\ny", "<b>", "\u200fx", "v" * 257])
def test_a_hostile_value_of_a_tag_is_refused(value):
    assert "is no tag" in problems(Settings(tags={"team": value}))["tags"]


@pytest.mark.parametrize("key", ["aws:x", "AWS:x"])
def test_names_that_aws_keeps_for_itself_are_refused(key):
    assert "AWS keeps names with aws: for itself" in problems(Settings(tags={key: "x"}))["tags"]


@pytest.mark.parametrize(
    ("settings", "field", "said"),
    [
        (Settings(hostnames=("a", "b", "c", "d")), "hostnames", "At most 3 hosts"),
        (Settings(hostnames=("a", "a")), "hostnames", "Each host once"),
        (Settings(hostnames=("a", "b", "c"), paths=("/a", "/b")), "paths", "together may be 4"),
        (Settings(canary_slots=0), "canary_slots", "from 1 to 10"),
        (Settings(canary_slots=11), "canary_slots", "from 1 to 10"),
        (Settings(tags={f"tag{number}": "" for number in range(41)}), "tags", "At most 40"),
        (Settings(log_retention_days=2), "log_retention_days", "one of these numbers of days: 1, 3, 5"),
        (Settings(stickiness_seconds=604_801), "stickiness_seconds", "from 0 to 604800"),
        (Settings(stickiness_seconds=-1), "stickiness_seconds", "from 0 to 604800"),
        (Settings(provisioned_concurrency=-1), "provisioned_concurrency", "from 0 to 1000"),
    ],
)
def test_what_a_service_or_aws_can_not_have_is_refused_with_its_limit(settings, field, said):
    found = problems(settings)
    assert list(found) == [field]
    assert said in found[field]


@pytest.mark.parametrize(("has_header", "room"), [(False, 4), (True, 3)])
def test_a_header_of_the_canary_takes_the_place_of_a_host_or_path(has_header, room):
    hosts, paths = ("a", "b"), ("/a", "/b", "/c")
    given = HEADER if has_header else {}
    fits = Settings(hostnames=hosts, paths=paths[: room - 2], **given)
    too_many = Settings(hostnames=hosts, paths=paths[: room - 1], **given)
    assert problems(fits) == change_problems(fits, fits) == {}
    unnamed = replace(too_many, canary_header_name="", canary_header_value="")
    for found in (
        problems(too_many),
        problems(unnamed, has_header=has_header),
        change_problems(fits, too_many),
    ):
        assert list(found) == ["paths"]
        assert f"hosts and paths together may be {room}. Write a wildcard." in found["paths"]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (Settings(), True),
        (Settings(paths=("/*",)), True),
        (Settings(paths=("/api/*",)), False),
        (Settings(hostnames=("a",)), False),
    ],
)
def test_a_service_without_conditions_takes_every_request(settings, expected):
    assert settings.takes_all is expected


def test_slots_are_never_given_back_and_kept_logs_never_given_up():
    after = replace(GOOD, canary_slots=2, log_retention_days=None)
    assert change_problems(GOOD, after) == {
        "canary_slots": "There are 3 already, and no rule is ever deleted.",
        "log_retention_days": "Once they are kept for so many days that can be changed, not undone.",
    }


def test_a_header_is_changed_and_never_taken_away():
    before = Settings(**HEADER)
    found = change_problems(before, Settings())
    assert list(found) == ["canary_header_name"]
    assert "no rule is ever deleted" in found["canary_header_name"]
    assert change_problems(Settings(), before) == {}
    assert change_problems(before, replace(before, canary_header_name="X-Other")) == {}


def test_a_header_s_value_is_told_to_nobody_not_even_as_it_is_stored():
    before, after = Settings(**HEADER), Settings(canary_header_name="X-Canary", canary_header_value="token-2")
    assert [(one.before, one.after) for one in differences(before, after)] == [("(secret)", "another one")]
    assert [(one.before, one.after) for one in differences(Settings(), after)] == [
        ("none", "X-Canary"),
        ("none", "(secret)"),
    ]
    assert told(to_columns(before))["canary_header_value"] == "(secret)"
    assert told(to_columns(Settings()))["canary_header_value"] == ""
    assert "token" not in repr([before, after])


def test_every_other_way_is_open():
    assert change_problems(GOOD, replace(Settings(log_retention_days=7), canary_slots=10)) == {}


def test_a_wrong_value_is_refused_in_a_change_as_in_a_set_up():
    assert "hostnames" in change_problems(GOOD, replace(GOOD, hostnames=("${x}",)))


def test_only_what_differs_is_told_in_words():
    after = Settings(tags={"b": "2", "a": "1"}, stickiness_seconds=60, log_retention_days=30)
    assert [(one.label, one.before, one.after) for one in differences(Settings(hostnames=("x",)), after)] == [
        ("Hosts", "x", "all"),
        ("Tags", "none", "a=1, b=2"),
        ("Days that logs are kept", "as Lambda makes them", "30"),
        ("Stickiness while users are split, in seconds", "off", "60"),
    ]


@given(
    st.builds(
        Settings,
        hostnames=st.lists(st.text(), max_size=3).map(tuple),
        tags=st.dictionaries(st.text(), st.text()),
        log_retention_days=st.none() | st.integers(),
        priority=st.integers(),
    )
)
def test_settings_survive_their_way_through_json(settings):
    assert from_columns(json.loads(json.dumps(to_columns(settings)))) == settings


def test_other_columns_are_left_out():
    assert from_columns({"name": "shop", "priority": 300}) == Settings(priority=300)

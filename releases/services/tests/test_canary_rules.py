"""A service with two slots of addresses, a header and stickiness: each rule is switched, read and brought back."""

import pytest

from audit.models import AuditEvent
from aws.errors import AwsError
from releases.domain.canary import CanaryHeader
from releases.domain.errors import InvalidCanary
from releases.domain.plans.expectation import CANARY_RULE, HEADER_RULE, SLOT_RULES, TRAFFIC_RULE
from releases.domain.traffic import NOBODY
from releases.models import Service
from releases.services import canary_addresses
from releases.services.errors import ActRefused
from releases.services.provisioning import setup
from releases.services.provisioning.setup import NewService
from releases.services.tests.conftest import TESTS
from releases.services.tests.world import REPOSITORY

HEADER = CanaryHeader(name="X-Canary", value="abcdefgh_12345678")
ADDRESSES = ["203.0.113.7/32", "203.0.113.8/32", "2001:db8::/48", "198.51.100.1/32"]
RULES = ["arn:rule/canary", "arn:rule/canary-2", "arn:rule/header"]
ALL_BLUE = {"arn:group/blue": 100, "arn:group/green": 0}


def new_service(**changed) -> NewService:
    usual = {
        "name": "shop",
        "family": "shop",
        "environment": "production",
        "region": "eu-central-1",
        "account_id": "123456789012",
        "listener_arn": "arn:listener",
        "repository_uri": REPOSITORY,
        "tag": "v1",
        "canary_addresses": ADDRESSES,
        "canary_slots": 2,
        "canary_header": HEADER,
        "stickiness_seconds": 3600,
        "settle_seconds": 0,
    }
    return NewService(**{**usual, **changed})


@pytest.fixture
def service(db, world) -> Service:
    made = setup.create_service(new_service(), actor=TESTS)
    world.work()
    made.refresh_from_db()
    return made


@pytest.fixture
def split(life):
    """Half of the users are on the release's version, and the canary is on."""
    life.request()
    life.go_to(50)
    return life


def test_the_arns_of_all_rules_are_learned_from_the_set_up(service):
    assert service.rule_arns == {
        TRAFFIC_RULE: "arn:rule/traffic",
        CANARY_RULE: "arn:rule/canary",
        SLOT_RULES[1]: "arn:rule/canary-2",
        HEADER_RULE: "arn:rule/header",
    }


def test_the_canary_is_brought_to_every_rule_and_recorded_with_whom_it_sends(split):
    sources = split.world.sources
    assert [sources[arn] for arn in RULES] == [set(ADDRESSES[:3]), set(ADDRESSES[3:]), set()]
    assert split.world.stickiness_seconds == 3600
    assert split.now().canary_addresses == tuple(ADDRESSES)


def test_the_button_sets_and_reads_each_rule_and_ends_stickiness(split):
    rollback = split.roll_back()
    assert rollback.problem == ""
    assert [split.world.weights[arn] for arn in RULES] == [ALL_BLUE] * 3
    assert (split.world.green_weight(), split.world.stickiness_seconds) == (0, 0)
    assert (split.now().activate_canary, split.now().canary_addresses) == (False, ())
    split.world.work()
    assert [split.world.sources[arn] for arn in RULES] == [{NOBODY}] * 3


@pytest.mark.parametrize("failing", ["arn:rule/traffic", *RULES])
def test_a_rule_that_cannot_be_set_keeps_none_of_the_others_from_it(split, monkeypatch, failing):
    set_weights = split.world.set_weights

    def all_but_one(access, rule_arn, weights):
        if rule_arn == failing:
            raise AwsError("aws:other-groups", "Somebody changed it.")
        set_weights(access, rule_arn, weights)

    monkeypatch.setattr("aws.load_balancer.set_weights", all_but_one)
    assert split.roll_back().problem == "Somebody changed it."
    others = {"arn:rule/traffic", *RULES} - {failing}
    assert [split.world.weights[arn] for arn in others] == [ALL_BLUE] * 3


def test_where_aws_does_not_answer_nobody_waits_for_each_rule(split, monkeypatch):
    asked = []

    def unreachable(access, rule_arn, weights):
        asked.append(rule_arn)
        raise AwsError("aws:unreachable", "AWS did not answer.")

    monkeypatch.setattr("aws.load_balancer.set_weights", unreachable)
    split.world.aws_fails = AwsError("aws:unreachable", "AWS did not answer.")
    assert split.roll_back().problem == "AWS did not answer."
    assert asked == ["arn:rule/traffic"]


@pytest.mark.parametrize("arn", RULES)
def test_a_rule_of_the_canary_that_still_sends_testers_away_is_reason_to_press(life, arn):
    life.world.sources[arn] = frozenset({"203.0.113.7/32"})
    assert life.roll_back().problem == ""
    assert life.world.weights[arn] == ALL_BLUE


def test_stickiness_that_was_switched_on_by_hand_is_reason_to_press(life):
    life.world.stickiness_seconds = 60
    assert life.roll_back().problem == ""
    assert life.world.stickiness_seconds == 0


def test_what_is_recorded_of_a_new_service_does_not_tell_the_header_s_value(service):
    told = str(list(AuditEvent.objects.values_list("after", flat=True))) + service.canary_header_value
    assert "X-Canary" in told
    assert HEADER.value not in told


@pytest.mark.parametrize(
    "changed",
    [
        {"canary_addresses": ["0.0.0.0/0"]},
        {"canary_addresses": ["203.0.113.7/24"]},
        {"canary_slots": 1},
        {"hostnames": ["a.example.com", "b.example.com", "c.example.com"], "canary_slots": 1},
    ],
)
def test_a_service_with_a_canary_that_cannot_be_is_not_made(db, world, changed):
    with pytest.raises(InvalidCanary):
        setup.create_service(new_service(**changed), actor=TESTS)
    assert not Service.objects.exists()


def test_addresses_are_kept_in_their_usual_form(db, world):
    made = setup.create_service(new_service(canary_addresses=["2001:DB8::7", "203.0.113.7"]), actor=TESTS)
    assert made.canary_addresses == ["2001:db8::7/128", "203.0.113.7/32"]


def added(life, address: str = "2001:db8:1::9") -> None:
    release = life.service.releases.get()
    canary_addresses.add_address(release_id=release.pk, address=address, user=life.operator)
    life.world.work()


def at_canary(life):
    """The canary is on, nobody else is on the release's version."""
    life.request()
    while not life.now().activate_canary:
        life.go_on()
    return life


def test_an_address_is_added_by_a_run_of_its_own_without_an_approval(life):
    at_canary(life)
    added(life)
    assert life.now().canary_addresses == (*ADDRESSES, "2001:db8:1::9/128")
    assert life.world.sources["arn:rule/canary-2"] == {ADDRESSES[3], "2001:db8:1::9/128"}
    step = life.service.releases.get().steps.filter(transition="canary").order_by("position")[1]
    assert (step.status, step.gate, step.requested_by) == ("done", False, life.operator)
    event = AuditEvent.objects.get(action="release.address-added")
    assert event.actor_name == "otto"
    assert event.after["canary_addresses"][-1] == "2001:db8:1::9/128"


def test_an_address_is_added_while_users_are_split_and_moves_none_of_them(split):
    added(split)
    assert (split.now().candidate_share, split.now().canary_addresses[-1]) == (50, "2001:db8:1::9/128")
    assert split.world.green_weight() == 50


def test_an_approval_of_what_comes_next_still_counts_when_an_address_was_added(life):
    at_canary(life)
    life.service.releases.get().steps.filter(transition="shift", candidate_share=10).update(gate=True)
    life.world.work()
    life.approve()
    added(life)
    assert life.step().candidate_share == 10
    life.start()
    assert life.now().candidate_share == 10


def test_a_bake_time_goes_on_while_an_address_is_added(life):
    life.request(bake_seconds=3600)
    while not life.now().activate_canary:
        life.go_on()
    assert life.step().status == "baking"
    until = life.step().bake_until
    added(life)
    assert life.now().canary_addresses[-1] == "2001:db8:1::9/128"
    assert (life.step().status, life.step().bake_until) == ("baking", until)


def test_the_next_release_begins_with_the_service_s_own_addresses_again(split):
    added(split)
    split.roll_back()
    split.world.work()
    assert at_canary_of(split, "v3") == tuple(ADDRESSES)


def at_canary_of(life, tag: str):
    life.request(tag)
    while not life.now().activate_canary:
        life.go_on()
    return life.now().canary_addresses


@pytest.mark.parametrize(
    ("address", "code"),
    [
        ("203.0.113.7", "canary:twice"),
        ("2001:db8:0:1::1", "canary:twice"),
        ("198.51.100.0/24", "canary:network"),
        ("0.0.0.0/0", "canary:everyone"),
        ("nobody", "canary:address"),
    ],
)
def test_what_is_no_new_address_is_refused(life, address, code):
    at_canary(life)
    with pytest.raises(InvalidCanary) as refused:
        added(life, address)
    assert refused.value.code == code
    assert life.service.releases.get().steps.filter(transition="canary").count() == 1


def test_no_more_are_added_than_there_is_room_for(life):
    at_canary(life)
    added(life)
    added(life, "198.51.100.2")
    with pytest.raises(InvalidCanary, match="there is room for 6"):
        added(life, "198.51.100.3")


def test_before_the_canary_is_on_no_address_is_added(life):
    life.request()
    with pytest.raises(ActRefused) as refused:
        added(life)
    assert refused.value.code == "act:canary-off"


def test_who_does_not_operate_adds_no_address(life):
    at_canary(life)
    release = life.service.releases.get()
    for user in (life.requester, life.manager):
        with pytest.raises(ActRefused) as refused:
            canary_addresses.add_address(release_id=release.pk, address="198.51.100.2", user=user)
        assert refused.value.code == "person:no-permission"

from typing import Any

import pytest

from releases.domain.sentences import describe
from releases.domain.tests.states import NEW, NEXT, OLD, state
from releases.domain.traffic import Color, TrafficState, Transition, initial_state, target_state

TAGS = {OLD.image: "v41", NEW.image: "v42", NEXT.image: "v43"}
END = "Nothing is created or deleted."
HERE, THERE = "203.0.113.7/32", "203.0.113.8/32"


def sentence(begin: TrafficState, transition: Transition, **asked: Any) -> str:
    return describe(transition, begin, target_state(begin, transition, **asked), TAGS)


@pytest.mark.parametrize(
    ("begin", "transition", "asked", "expected"),
    [
        (
            state(100),
            Transition.ROTATE_STABLE,
            {},
            f"Puts v42, which everyone uses on green, on blue too. No traffic moves. {END}",
        ),
        (
            state(100).with_version(Color.BLUE, NEW),
            Transition.ROTATE_TRAFFIC,
            {},
            f"Moves everyone from green to blue · v42, which is the same version. {END}",
        ),
        (
            state(),
            Transition.ROTATE_CANDIDATE,
            {"version": NEXT},
            f"Puts v43 on green, which nobody is sent to. No traffic moves. {END}",
        ),
        (
            state(),
            Transition.CANARY,
            {"canary_addresses": [HERE, "2001:db8::/48"]},
            f"Sends only {HERE} and 2001:db8::/48 to green · v42; for everyone else nothing changes. {END}",
        ),
        (
            state().with_canary(True, [HERE]),
            Transition.CANARY,
            {"canary_addresses": [HERE, THERE]},
            f"Sends {THERE} to green · v42 too. {END}",
        ),
        (
            state(25).with_canary(True, [HERE]),
            Transition.CANARY,
            {"canary_addresses": [THERE]},
            f"Sends {THERE} to green · v42 too. Takes {HERE} off green · v42. {END}",
        ),
        (
            state().with_canary(True, [HERE]),
            Transition.CANARY,
            {},
            f"The canary on green · v42 stays as it is. {END}",
        ),
        (
            state(),
            Transition.SHIFT,
            {"share": 25},
            f"Sends 25 % of users to green · v42; blue · v41 keeps 75 %. {END}",
        ),
        (
            state(50),
            Transition.SHIFT,
            {"share": 10},
            f"Lowers green · v42 to 10 % of users; blue · v41 has 90 %. {END}",
        ),
        (
            state(50),
            Transition.SHIFT,
            {"share": 0},
            f"Takes all users off green · v42; blue · v41 has 100 %. {END}",
        ),
        (
            state(75, active=Color.GREEN),
            Transition.PROMOTE,
            {},
            f"Sends everyone to blue · v42; green · v41 stays as it is, to go back to. {END}",
        ),
        (
            state(50),
            Transition.ROLLBACK,
            {"safe_color": Color.BLUE},
            f"Sends everyone back to blue · v41, the canary addresses too. {END}",
        ),
        (
            state(100),
            Transition.ROLLBACK,
            {"safe_color": Color.GREEN},
            f"Stops the rotation: everyone stays on green · v42. {END}",
        ),
    ],
)
def test_a_transition_in_one_plain_sentence(begin, transition, asked, expected):
    assert sentence(begin, transition, **asked) == expected


def test_a_set_up_in_one_plain_sentence():
    assert sentence(initial_state(OLD), Transition.SET_UP) == (
        "Creates both sides of the service with v41 and sends everyone to blue. Nothing is changed or deleted."
    )


def test_a_set_up_that_takes_over_what_is_there_claims_no_more_than_that_nothing_is_deleted():
    begin = initial_state(OLD)
    after = target_state(begin, Transition.SET_UP)
    assert describe(Transition.SET_UP, begin, after, TAGS, taken_over=2) == (
        "Takes over 2 resources of the service that it finds there, brings both sides to v41, and sends everyone to "
        "blue. What is missing is created, what differs is changed, and nothing is deleted."
    )


def test_a_version_without_a_tag_is_named_by_its_short_digest():
    begin = state()
    after = target_state(begin, Transition.SHIFT, share=25)
    assert "25 % of users to green · sha256:bbbbbbbbbbbb;" in describe(Transition.SHIFT, begin, after, {})


def canary_sentence(addresses: list[str], header: str) -> str:
    on = state().with_canary(True, addresses)
    return describe(Transition.CANARY, state(), on, TAGS, canary_header=header).partition(";")[0]


def test_requests_with_the_header_are_said_beside_the_addresses():
    header = "requests with the header X-Canary"
    assert canary_sentence([], "X-Canary") == f"Sends only {header} to green · v42"
    assert canary_sentence([HERE, THERE], "X-Canary") == (
        f"Sends only {HERE}, {THERE} and {header} to green · v42"
    )


def test_of_many_addresses_only_the_first_ones_are_said():
    many = [f"203.0.113.{number}/32" for number in range(9)]
    assert canary_sentence(many, "") == (
        "Sends only 203.0.113.0/32, 203.0.113.1/32, 203.0.113.2/32 and 6 more to green · v42"
    )

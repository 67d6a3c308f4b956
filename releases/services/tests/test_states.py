"""The states that steps keep: what is written is what is read, whatever a colour runs."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.errors import InvalidTraffic
from releases.domain.traffic import Color, TrafficState, Version, initial_state
from releases.services import states
from releases.services.tests.world import reference

versions = st.builds(
    Version,
    image=st.sampled_from([reference("v1"), reference("v2")]),
    configuration=st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=3),
)
traffic_states = st.builds(
    TrafficState,
    active_color=st.sampled_from(Color),
    blue=versions,
    green=versions,
    green_weight=st.integers(0, 100),
    activate_canary=st.booleans(),
).map(lambda state: state.with_canary(state.activate_canary, ["203.0.113.7/32", "2001:db8::/48"]))


@given(traffic_states)
def test_a_state_survives_being_kept_as_json(state):
    assert states.from_json(json.loads(json.dumps(states.to_json(state)))) == state


def test_the_kept_form_names_both_colours_with_image_and_configuration():
    state = TrafficState(
        active_color=Color.GREEN,
        blue=Version(image=reference("v1"), configuration={"memory_size": 512}),
        green=Version(image=reference("v2")),
        green_weight=90,
        activate_canary=True,
        canary_addresses=("2001:db8::7/128",),
    )
    assert states.to_json(state) == {
        "active_color": "green",
        "blue": {"image": reference("v1"), "configuration": {"memory_size": 512}},
        "green": {"image": reference("v2"), "configuration": {}},
        "green_weight": 90,
        "activate_canary": True,
        "canary_addresses": ["2001:db8::7/128"],
    }


def test_a_kept_state_that_somebody_has_changed_into_none_is_refused():
    kept = states.to_json(
        TrafficState(
            active_color=Color.BLUE,
            blue=Version(image=reference("v1")),
            green=Version(image=reference("v2")),
            green_weight=10,
            activate_canary=False,
        )
    )
    with pytest.raises(InvalidTraffic):
        states.from_json({**kept, "green_weight": 101})


def test_a_state_kept_before_there_were_addresses_in_it_is_read():
    kept = states.to_json(initial_state(Version(image=reference("v1"))))
    del kept["canary_addresses"]
    assert states.from_json(kept).canary_addresses == ()

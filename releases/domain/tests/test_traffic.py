from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from releases.domain.errors import DomainError, IllegalTransition, InvalidTraffic
from releases.domain.tests.states import NEW, NEXT, OLD, REPOSITORY, state, states, version, walk, walks
from releases.domain.traffic import (
    Color,
    Transition,
    Version,
    changed_colors,
    initial_state,
    is_safe,
    safe_color,
    target_state,
)

colors = st.sampled_from(Color)


@given(walks, colors)
def test_somebody_serves_after_every_transition(steps, active):
    for taken in walk(steps, active):
        weights = [taken.after.traffic.weight_of(color) for color in Color]
        assert sum(weights) == 100
        assert all(0 <= weight <= 100 for weight in weights)


@given(walks, colors)
def test_a_function_that_receives_traffic_is_never_changed(steps, active):
    for taken in walk(steps, active):
        before, after = taken.before.traffic, taken.after.traffic
        differing = {color for color in Color if before.version_of(color) != after.version_of(color)}
        assert differing <= taken.changed
        assert not any(before.receives_traffic(color) for color in taken.changed)
        assert not any(after.receives_traffic(color) for color in taken.changed)


@given(walks, colors)
def test_no_transition_changes_a_function_and_the_traffic_at_once(steps, active):
    for taken in walk(steps, active):
        if taken.changed:
            assert taken.after.traffic.green_weight == taken.before.traffic.green_weight
            assert taken.after.traffic.activate_canary == taken.before.traffic.activate_canary


@given(walks, colors)
def test_the_safe_colour_is_never_one_that_is_being_changed(steps, active):
    for taken in walk(steps, active):
        assert taken.before.safe_color not in taken.changed


@given(walks, colors)
def test_a_rollback_is_legal_at_every_point_of_the_life_and_leads_to_the_safe_colour(steps, active):
    for taken in walk(steps, active):
        for position in (taken.before, taken.after):
            after = target_state(position.traffic, Transition.ROLLBACK, safe_color=position.safe_color)
            assert is_safe(after, position.safe_color)
            assert (after.blue, after.green) == (position.traffic.blue, position.traffic.green)


@given(walks, colors)
def test_copying_never_takes_users_back_to_an_older_version(steps, active):
    for taken in walk(steps, active):
        if taken.transition is Transition.ROTATE_TRAFFIC:
            before = taken.before.traffic
            assert before.version_of(before.stable) == before.version_of(before.candidate)


@given(walks, colors)
def test_swapping_moves_no_user_and_changes_no_function(steps, active):
    for taken in walk(steps, active):
        if taken.transition is Transition.SWAP_COLORS:
            before, after = taken.before.traffic, taken.after.traffic
            assert after in (before, replace(before, active_color=before.candidate))
            assert all(before.weight_of(color) == after.weight_of(color) for color in Color)
            assert is_safe(after, before.candidate)


@given(states, colors)
def test_a_rollback_is_legal_from_every_state(traffic, color):
    after = target_state(traffic, Transition.ROLLBACK, safe_color=color)
    assert is_safe(after, color)


@given(states, st.integers(0, 100))
def test_a_candidate_share_is_read_back_whatever_the_colours(traffic, share):
    assert traffic.with_candidate_share(share).candidate_share == share


def test_a_share_of_a_green_stable_is_written_as_the_rest():
    assert state(10, active=Color.GREEN).green_weight == 90
    assert state(10, active=Color.BLUE).green_weight == 10


def test_a_set_up_puts_everyone_on_stable_with_the_same_version():
    assert initial_state(OLD).green_weight == 0
    assert initial_state(OLD, active_color=Color.GREEN).green_weight == 100
    assert target_state(initial_state(OLD), Transition.SET_UP) == initial_state(OLD)


@pytest.mark.parametrize("begin", [state(), state(10), initial_state(OLD).with_canary(True)])
def test_a_set_up_with_two_versions_or_a_split_is_refused(begin):
    with pytest.raises(IllegalTransition, match="set up with one version"):
        target_state(begin, Transition.SET_UP)


def test_a_whole_release_and_the_next_one():
    now = initial_state(OLD)
    now = target_state(now, Transition.ROTATE_CANDIDATE, version=NEW)
    now = target_state(now, Transition.CANARY, version=NEW)
    assert (now.candidate_share, now.activate_canary) == (0, True)
    now = target_state(now, Transition.SHIFT, version=NEW, share=50)
    assert (now.candidate_share, now.activate_canary) == (50, True)
    now = target_state(now, Transition.PROMOTE, version=NEW)
    assert (now.candidate_share, now.activate_canary) == (100, False)
    now = target_state(now, Transition.ROTATE_STABLE)
    assert (now.blue, now.green, now.candidate_share) == (NEW, NEW, 100)
    now = target_state(now, Transition.ROTATE_TRAFFIC)
    now = target_state(now, Transition.ROTATE_CANDIDATE, version=NEXT)
    assert (now.blue, now.green, now.candidate_share) == (NEW, NEXT, 0)


def test_a_release_by_swap_changes_the_colour_that_the_next_one_begins_from():
    now = target_state(state(100), Transition.SWAP_COLORS)
    assert (now.stable, now.candidate_share, now.green_weight) == (Color.GREEN, 0, 100)
    assert safe_color(now, stable_is_being_changed=False) is Color.GREEN
    now = target_state(now, Transition.ROTATE_CANDIDATE, version=NEXT)
    assert (now.blue, now.green) == (NEXT, NEW)
    now = target_state(now, Transition.SHIFT, version=NEXT, share=10)
    assert now.green_weight == 90
    now = target_state(now, Transition.PROMOTE, version=NEXT)
    assert now.green_weight == 0
    now = target_state(now, Transition.SWAP_COLORS)
    assert (now.stable, now.candidate_share) == (Color.BLUE, 0)


@pytest.mark.parametrize(
    ("begin", "transition", "code"),
    [
        (state(), Transition.ROTATE_STABLE, "transition:not-promoted"),
        (state(99), Transition.ROTATE_STABLE, "transition:not-promoted"),
        (state(100, canary=True), Transition.ROTATE_STABLE, "transition:not-promoted"),
        (state(0), Transition.SWAP_COLORS, "transition:not-promoted"),
        (state(99), Transition.SWAP_COLORS, "transition:not-promoted"),
        (state(100, canary=True), Transition.SWAP_COLORS, "transition:not-promoted"),
        (state(0), Transition.ROTATE_TRAFFIC, "transition:not-promoted"),
        (state(100), Transition.ROTATE_TRAFFIC, "transition:not-copied"),
        (state(1), Transition.ROTATE_CANDIDATE, "transition:candidate-has-traffic"),
        (state(0, canary=True), Transition.ROTATE_CANDIDATE, "transition:candidate-has-traffic"),
        (state(100), Transition.CANARY, "transition:promoted"),
        (state(100), Transition.SHIFT, "transition:promoted"),
    ],
)
def test_a_transition_from_the_wrong_state_is_refused(begin, transition, code):
    with pytest.raises(IllegalTransition) as refusal:
        target_state(begin, transition, version=NEW, share=10)
    assert refusal.value.code == code


@pytest.mark.parametrize("transition", [Transition.CANARY, Transition.SHIFT, Transition.PROMOTE])
def test_nobody_is_sent_to_a_candidate_that_is_not_the_release(transition):
    with pytest.raises(IllegalTransition, match="does not run this release's version"):
        target_state(state(), transition, version=NEXT, share=10)


@pytest.mark.parametrize(
    ("transition", "code"),
    [
        (Transition.ROTATE_CANDIDATE, "transition:no-version"),
        (Transition.SHIFT, "transition:no-share"),
        (Transition.ROLLBACK, "transition:no-safe-color"),
    ],
)
def test_a_transition_says_what_it_needs(transition, code):
    with pytest.raises(IllegalTransition) as refusal:
        target_state(state(), transition)
    assert refusal.value.code == code


def test_a_shift_to_everyone_is_refused_as_a_promotion():
    with pytest.raises(IllegalTransition, match="always a promotion"):
        target_state(state(), Transition.SHIFT, share=100)


@pytest.mark.parametrize("share", [-1, 101, 10**9, True, 10.5, "10", None])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(InvalidTraffic, match="whole number from 0 to 100"):
        replace(state(), green_weight=share)


@pytest.mark.parametrize("share", [-1, 101, True])
def test_a_shift_to_an_impossible_share_is_refused(share):
    with pytest.raises(InvalidTraffic, match="whole number from 0 to 100"):
        target_state(state(), Transition.SHIFT, share=share)


@pytest.mark.parametrize(
    "image",
    [
        "",
        "nginx:blue",
        f"{REPOSITORY}@sha256:abc",
        f"{REPOSITORY}@sha256:{'A' * 64}",
        f"{REPOSITORY}@sha256:{'a' * 64}\n",
        f"${{repository}}@sha256:{'a' * 64}",
        f"@sha256:{'a' * 64}",
        f"{REPOSITORY}@sha256:{'a' * 64}@sha256:{'a' * 64}",
    ],
)
def test_an_image_without_a_whole_digest_is_no_version(image):
    with pytest.raises(DomainError, match="digest"):
        Version(image=image)


def test_a_version_is_its_image_and_its_configuration():
    small, big = (Version(image=OLD.image, configuration={"memory_size": size}) for size in (128, 256))
    assert small != big
    assert small == replace(big, configuration={"memory_size": 128})
    assert len({small, big, version("a")}) == 3
    assert small.digest == "sha256:" + "a" * 64


def test_receiving_traffic_is_by_weight_or_by_canary():
    assert not state().receives_traffic(Color.GREEN)
    assert state(1).receives_traffic(Color.GREEN)
    assert state(canary=True).receives_traffic(Color.GREEN)
    assert not state(100, canary=True).receives_traffic(Color.BLUE)


@pytest.mark.parametrize("transition", Transition)
def test_a_rotation_changes_one_function_and_everything_else_none(transition):
    expected = {Transition.ROTATE_STABLE: {Color.BLUE}, Transition.ROTATE_CANDIDATE: {Color.GREEN}}
    assert changed_colors(transition, state()) == expected.get(transition, set())


def test_the_safe_colour_is_stable_but_for_the_copy():
    assert safe_color(state(100), stable_is_being_changed=False) is Color.BLUE
    assert safe_color(state(100), stable_is_being_changed=True) is Color.GREEN


def test_a_rollback_during_the_copy_leaves_everyone_on_the_promoted_version():
    after = target_state(state(100), Transition.ROLLBACK, safe_color=Color.GREEN)
    assert after == state(100)


def test_the_canary_sends_the_addresses_that_are_asked_for_and_nobody_when_it_is_off():
    on = target_state(state(), Transition.CANARY, canary_addresses=["203.0.113.7/32"])
    assert (on.activate_canary, on.canary_addresses) == (True, ("203.0.113.7/32",))
    more = target_state(on, Transition.CANARY, canary_addresses=["203.0.113.7/32", "2001:db8::7/128"])
    assert more.canary_addresses == ("203.0.113.7/32", "2001:db8::7/128")
    assert target_state(more, Transition.CANARY) == more
    assert target_state(more, Transition.SHIFT, share=25).canary_addresses == more.canary_addresses
    for ended in (
        target_state(more, Transition.PROMOTE),
        target_state(more, Transition.ROLLBACK, safe_color=Color.BLUE),
    ):
        assert (ended.activate_canary, ended.canary_addresses) == (False, ())


def test_a_canary_that_is_off_sends_nobody():
    with pytest.raises(InvalidTraffic):
        replace(state(), canary_addresses=("203.0.113.7/32",))

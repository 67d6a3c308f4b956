import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from releases.domain.plans.guard import check_plan
from releases.domain.tests.mutations import mutated
from releases.domain.tests.real_plans import GOOD, expectation, plan
from terraform_runner.domain.plan import parse_plan


@pytest.mark.parametrize("name", GOOD)
def test_a_good_plan_is_accepted(name):
    assert check_plan(plan(name), expectation(name)) == ()


# Where one half of a pair is there already, what is made has nothing to be compared with.
@pytest.mark.parametrize("name", [name for name in GOOD if name != "set_up_resumed"])
@settings(max_examples=40)
@given(data=st.data())
def test_a_good_plan_with_one_thing_changed_is_refused(name, data):
    mutation = data.draw(mutated(name))
    refusals = check_plan(parse_plan(mutation.document), expectation(name))
    assert refusals, mutation
    assert all(refusal.reason.endswith(".") for refusal in refusals)


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("purpose", GOOD)
def test_a_plan_for_one_step_is_refused_for_another(name, purpose):
    if expectation(name).after != expectation(purpose).after:
        assert check_plan(plan(name), expectation(purpose))

"""Which step can be acted on, and what each person may do now: pages and services hear the same."""

import pytest

from releases.domain.access.decisions import Allowed, Permission, Refused
from releases.domain.acts import Act
from releases.domain.lifecycle import StepStatus
from releases.domain.traffic import Transition
from releases.models import Step
from releases.services import facts
from releases.services.requests import ReleaseRequest, request_release
from terraform_runner.errors import StateLocked


def possible(life, user) -> dict[Act, str]:
    """For each act the code of its refusal, "" where it is allowed."""
    life.service.refresh_from_db()
    answers = facts.possible_acts(user, life.service)
    return {act: answer.code if isinstance(answer, Refused) else "" for act, answer in answers.items()}


def only(**allowed_or_why: str) -> dict[Act, str]:
    """The answers of somebody who lacks the rights for all other acts."""
    return {act: allowed_or_why.get(act.value, "person:no-permission") for act in Act}


def test_at_rest_only_a_request_is_possible(life):
    no_release = dict.fromkeys(Act, "act:no-step")
    assert possible(life, life.requester) == {
        **no_release,
        Act.REQUEST: "",
        Act.ROLL_BACK: "person:no-permission",
        Act.SEE_TRAIL: "person:no-permission",
    }
    assert possible(life, life.operator)[Act.ROLL_BACK] == "act:nothing-to-roll-back"
    assert possible(life, life.operator)[Act.REQUEST] == "person:no-permission"


def test_at_a_gate_the_manager_decides_and_the_operator_starts(life):
    life.request()
    life.go_on()
    assert possible(life, life.manager) == only(
        request="act:release-open", approve="", reject="", withdraw="approval:not-yours", roll_back=""
    )
    assert possible(life, life.operator) == only(
        start="",
        pause="",
        resume="act:not-paused",
        retry="act:not-failed",
        skip="",
        skip_bake="act:not-baking",
        cancel="",
        set_share="",
        add_address="act:canary-off",
        roll_back="",
    )
    assert possible(life, life.requester) == only(request="act:release-open", cancel="")


def test_what_was_started_is_not_started_again(life):
    life.request()
    life.go_on()
    life.start()
    assert possible(life, life.operator)[Act.START] == "act:started"


def test_what_was_decided_is_not_decided_again(life):
    life.request()
    life.go_on()
    life.approve()
    assert possible(life, life.manager)[Act.APPROVE] == "approval:decided"
    assert possible(life, life.manager)[Act.REJECT] == "approval:decided"


def test_an_account_that_is_switched_off_may_do_nothing(life):
    life.operator.is_active = False
    life.operator.save()
    life.request()
    assert "" not in possible(life, life.operator).values()


def test_a_service_that_is_not_set_up_takes_no_request_and_no_press(life):
    life.service.set_up_at = None
    life.service.save()
    assert possible(life, life.manager)[Act.REQUEST] == "act:not-set-up"
    assert possible(life, life.manager)[Act.ROLL_BACK] == "act:not-set-up"


def test_while_terraform_does_not_agree_with_a_rollback_it_can_be_pressed_and_nothing_be_requested(life):
    life.request()
    life.go_to(10)
    life.world.plan_fails = StateLocked("locked", who="", since="", operation="")
    life.roll_back()
    life.world.work()
    assert possible(life, life.manager)[Act.REQUEST] == "act:converging"
    assert possible(life, life.manager)[Act.ROLL_BACK] == ""


def test_rules_that_differ_from_the_records_are_a_reason_to_press(service):
    assert facts.service_facts(service, rules_differ=True).rules_differ
    assert not facts.service_facts(service).rules_differ


def test_without_a_release_there_is_no_step_to_act_on(life):
    assert facts.acting_step(life.service) is None


def test_the_set_up_and_a_convergence_are_nobody_s_to_start(life):
    Step.objects.create(service=life.service, transition=Transition.ROLLBACK, candidate_share=0)
    life.service.refresh_from_db()
    assert facts.acting_step(life.service) is None


def test_a_step_can_be_started_while_its_plan_is_made(life):
    wanted = ReleaseRequest(tag="v2", weights=[50])
    request_release(service_id=life.service.pk, user=life.requester, wanted=wanted)
    step = facts.acting_step(life.service)
    assert step is not None
    assert (step.status, step.transition) == (StepStatus.PLANNING, Transition.ROTATE_CANDIDATE)
    assert possible(life, life.operator)[Act.START] == ""


def test_while_a_step_bakes_the_next_one_can_be_started(life):
    life.request(bake_seconds=60)
    life.go_on()
    life.go_on()
    step = facts.acting_step(life.service)
    assert step is not None
    assert (step.status, step.transition) == (StepStatus.WAITING, Transition.SHIFT)


def test_while_the_last_step_bakes_there_is_nothing_to_start(life):
    life.request(bake_seconds=60)
    Step.objects.exclude(transition=Transition.PROMOTE).update(status=StepStatus.DONE)
    Step.objects.filter(transition=Transition.PROMOTE).update(status=StepStatus.BAKING)
    assert facts.acting_step(life.service) is None


def test_a_failed_step_is_where_the_release_stands_and_is_not_started(life):
    life.world.plan_fails = StateLocked("locked", who="", since="", operation="")
    life.request()
    step = facts.acting_step(life.service)
    assert step is not None
    assert step.status == StepStatus.FAILED
    assert possible(life, life.operator)[Act.START] == "act:not-startable"


@pytest.fixture
def second_release(life):
    life.request("v2")
    life.go_to(100)
    return life.request("v3")


def test_the_parts_of_a_rotation_are_started_together(life, second_release):
    parts = facts.started_together(life.step())
    assert [part.transition for part in parts] == [
        Transition.ROTATE_STABLE,
        Transition.ROTATE_TRAFFIC,
        Transition.ROTATE_CANDIDATE,
    ]


def test_parts_that_were_started_are_not_started_again(life, second_release):
    first = life.step()
    first.started_at = first.created_at
    first.save()
    assert [part.position for part in facts.started_together(life.step())] == [1, 2]


def test_any_other_step_is_started_alone(life):
    life.request()
    life.go_on()
    assert facts.started_together(life.step()) == [life.step()]


def test_a_step_s_facts_say_who_requested_and_what_was_planned(life):
    release = life.request()
    life.go_on()
    step_facts = facts.step_facts(life.service, life.step())
    shown = life.shown()["shown"]
    assert step_facts.at_gate.who_counts.requester_ids == {str(release.requested_by_id)}
    assert (step_facts.plan, step_facts.gate, step_facts.started) == (shown, True, False)
    assert step_facts.at_gate.decided == ""
    assert isinstance(step_facts.approval, Refused)
    life.approve()
    life.service.refresh_from_db()
    step_facts = facts.step_facts(life.service, life.step())
    assert (step_facts.at_gate.decided[:4], step_facts.approval) == ("mona", Allowed())


def test_a_right_given_now_counts_now(life, person):
    nobody = person("nora")
    assert set(possible(life, nobody).values()) - {"act:no-step"} == {"person:no-permission"}
    from_now = person("otis", Permission.REQUEST)
    assert possible(life, from_now)[Act.REQUEST] == ""

"""What an interrupted set-up has left at AWS: looked for only where the trail shows one, by the service's names."""

import pytest
from django.utils import timezone

from aws import leftovers
from releases.models import Service
from releases.services.execution import expectations
from releases.services.provisioning import unfinished_set_up
from terraform_runner.models import Run

RULES = {200: "arn:rule/traffic", 199: "arn:rule/canary", 7: "arn:rule/other"}


@pytest.fixture
def unfinished(service) -> Service:
    """A service whose set-up has begun its apply and not come to an end."""
    Service.objects.filter(pk=service.pk).update(set_up_at=None)
    service.refresh_from_db()
    return service


@pytest.fixture
def there(monkeypatch) -> dict[str, object]:
    """What is at AWS, by the name of the question."""
    answers: dict[str, object] = {
        "has_role": True,
        "has_function": True,
        "has_alias": True,
        "read_statements": frozenset({"AllowALB-shop-blue"}),
        "find_rules": RULES,
    }
    for name in answers:
        monkeypatch.setattr(leftovers, name, lambda *_, name=name: answers[name])
    monkeypatch.setattr(leftovers, "find_target_group", lambda _, name: f"arn:group/{name}")
    return answers


def found(service: Service) -> dict[str, str]:
    return unfinished_set_up.find(service, expectations.of_step(service, service.steps.get(), None))


def test_what_is_there_is_found_by_the_services_own_names(unfinished, there):
    assert found(unfinished) == {
        "aws_iam_role.this[0]": "lambda_exec_shop",
        "aws_lb_target_group.blue": "arn:group/shop-blue",
        "aws_lb_target_group.green": "arn:group/shop-green",
        "aws_lambda_function.blue": "shop-blue",
        "aws_lambda_alias.blue": "shop-blue/live",
        "aws_lambda_permission.blue": "shop-blue:live/AllowALB-shop-blue",
        "aws_lambda_function.green": "shop-green",
        "aws_lambda_alias.green": "shop-green/live",
        "aws_lb_listener_rule.traffic": "arn:rule/traffic",
        "aws_lb_listener_rule.canary": "arn:rule/canary",
    }


def test_what_depends_on_something_that_is_not_there_is_not_asked_for(unfinished, there, monkeypatch):
    there.update(has_role=False, has_function=False)
    monkeypatch.setattr(leftovers, "find_target_group", lambda *_: "")
    assert found(unfinished) == {}


def test_a_role_that_was_given_is_not_the_set_ups(unfinished, there):
    unfinished.role_arn = "arn:aws:iam::123456789012:role/given"
    assert "aws_iam_role.this[0]" not in found(unfinished)


def test_nothing_is_looked_for_before_an_apply_has_begun(unfinished, there):
    Run.objects.update(plan_used_at=None)
    assert found(unfinished) == {}
    Run.objects.filter(operation="plan").update(plan_used_at=timezone.now())
    assert found(unfinished) != {}


def test_nothing_is_looked_for_once_the_service_is_set_up(life, there):
    life.request()
    step = life.step()
    expectation = expectations.of_step(life.service, step, life.world.read_reality(life.service))
    assert unfinished_set_up.find(life.service, expectation) == {}

"""Whether the load balancer is on the internet: learned by the worker, once, and in nobody's way."""

import pytest

from aws import listeners as aws_listeners
from aws.errors import AwsError
from releases.services.provisioning import listeners


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The listeners that AWS was asked about."""
    found: list[str] = []

    def answer(_: object, arn: str) -> bool:
        found.append(arn)
        return False

    monkeypatch.setattr(aws_listeners, "is_internet_facing", answer)
    return found


def test_the_first_plan_of_a_service_finds_it_out(service):
    assert service.internet_facing is True


def test_it_is_asked_for_once(service, asked):
    service.internet_facing = None
    listeners.learn_scheme(service)
    listeners.learn_scheme(service)
    service.refresh_from_db()
    assert (asked, service.internet_facing) == (["arn:listener"], False)


def test_that_aws_does_not_tell_it_is_no_obstacle_and_it_is_asked_again(service, asked, life, monkeypatch):
    def refuse(*_: object) -> bool:
        raise AwsError("aws:unreachable", "AWS did not answer.")

    service.internet_facing = None
    service.save()
    with monkeypatch.context() as patched:
        patched.setattr(aws_listeners, "is_internet_facing", refuse)
        life.request()
        life.go_on()
    service.refresh_from_db()
    assert service.internet_facing is None
    listeners.learn_scheme(service)
    assert service.internet_facing is False

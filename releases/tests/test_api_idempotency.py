"""A request that is sent again with its key is done once."""

import threading
from datetime import timedelta

import pytest
from django.db import connections
from django.db.models import F

from releases.models import KeptAnswer, Release
from releases.services import kept_answers
from releases.services.requests import request_release
from releases.tests import factories
from releases.tests.api import call, problem, secret_of

BODY = {"tag": "green"}


@pytest.fixture
def secret(aws, service) -> str:
    return secret_of(factories.requester(service))


def send(secret, body=BODY, key="job-7", path="/services/catalog/releases"):
    return call(secret, "POST", path, body, **{"Idempotency-Key": key})


def test_the_second_time_it_is_answered_as_the_first_time(secret):
    first, second = send(secret), send(secret)
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second["Location"] == first["Location"]
    assert (first.get("Idempotent-Replayed"), second["Idempotent-Replayed"]) == (None, "true")
    assert Release.objects.count() == 1


@pytest.mark.parametrize(
    ("body", "path"),
    [({"tag": "yellow"}, "/services/catalog/releases"), (BODY, "/services/other/releases")],
)
def test_a_key_belongs_to_one_request(secret, body, path):
    send(secret)
    document = problem(send(secret, body, path=path), 422)
    assert (document["code"], document["errors"][0]["field"]) == ("key:reused", "Idempotency-Key")
    assert Release.objects.count() == 1


def test_another_token_s_key_is_another_one(secret, service):
    send(secret)
    problem(send(secret_of(factories.manager(service))), 409)
    assert KeptAnswer.objects.count() == 1


def test_the_key_of_a_request_that_was_refused_is_free_again(secret, aws):
    aws.is_down = True
    problem(send(secret), 502)
    aws.is_down = False
    assert send(secret, {"tag": "yellow"}).status_code == 201


def test_after_a_day_a_key_may_be_used_again(secret):
    send(secret)
    KeptAnswer.objects.update(begun_at=F("begun_at") - timedelta(hours=25))
    problem(send(secret, {"tag": "yellow"}), 409)
    send(secret, key="other")
    KeptAnswer.objects.update(begun_at=F("begun_at") - timedelta(hours=25))
    kept_answers.prune()
    assert not KeptAnswer.objects.exists()


def test_young_answers_are_not_pruned(secret):
    send(secret)
    kept_answers.prune()
    assert KeptAnswer.objects.exists()


def test_nothing_of_what_was_sent_is_kept(secret):
    assert send(secret, {"configuration": {"secrets": {"KEY": "hunter2hunter2"}}}).status_code == 201
    assert "hunter2" not in str(list(KeptAnswer.objects.values()))


def test_what_a_process_that_died_had_begun_is_taken_over_by_one(secret, monkeypatch):
    def dies(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(kept_answers, "forget", lambda answer: None)
    monkeypatch.setattr("releases.services.requests.request_release", dies)
    with pytest.raises(KeyboardInterrupt):
        send(secret)
    monkeypatch.setattr("releases.services.requests.request_release", request_release)
    document = problem(send(secret), 409)
    assert document["code"] == "key:in-use"
    KeptAnswer.objects.update(begun_at=F("begun_at") - timedelta(minutes=2))
    assert send(secret).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_of_two_at_once_one_is_done(secret, monkeypatch):
    inside, go_on = threading.Event(), threading.Event()

    def slow(**given):
        inside.set()
        assert go_on.wait(30)
        return request_release(**given)

    monkeypatch.setattr("releases.services.requests.request_release", slow)
    answers = []

    def first() -> None:
        answers.append(send(secret))
        connections.close_all()

    thread = threading.Thread(target=first)
    thread.start()
    assert inside.wait(30)
    meanwhile = send(secret)
    go_on.set()
    thread.join()
    assert problem(meanwhile, 409)["code"] == "key:in-use"
    assert answers[0].status_code == 201
    assert send(secret).json() == answers[0].json()
    assert Release.objects.count() == 1

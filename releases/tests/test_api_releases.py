"""What the API says of services and releases."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from releases.models import Release, Step
from releases.tests import factories
from releases.tests.api import call, problem, secret_of


@pytest.fixture
def secret(scene) -> str:
    return secret_of(scene.manager)


def release(secret: str, scene) -> dict:
    answer = call(secret, "GET", f"/services/catalog/releases/{scene.release.number}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_a_service_is_said_with_its_traffic(scene, secret):
    document = call(secret, "GET", "/services/catalog").json()
    assert document["name"] == "catalog"
    assert document["status"] == "Waits for approval"
    assert (document["release"], document["release_open"]) == (scene.release.number, True)
    assert document["traffic"]["blue"] == {
        "image": factories.image_of("blue"),
        "tag": "blue",
        "share": 100,
        "role": "stable",
        "canary": False,
    }
    assert document["traffic"]["green"]["tag"] == "green"


def test_a_service_that_is_not_set_up_has_no_traffic(scene, secret):
    type(scene.service).objects.update(set_up_at=None)
    assert call(secret, "GET", "/services/catalog").json()["traffic"] is None


def test_a_release_is_said_with_its_steps_and_the_plan_that_waits(scene, secret):
    document = release(secret, scene)
    run = scene.canary.plan_run
    assert document["state"] == "waiting_for_approval"
    assert document["current_step"] == str(scene.canary.pk)
    assert (document["plan"]["sha256"], document["plan"]["changes_digest"]) == (
        *(run.plan_sha256, run.changes_digest),
    )
    assert document["plan"]["changes"][0]["attributes"] == [
        {"path": "condition[0].source_ip[0].values[0]", "before": "192.0.2.1/32", "after": "127.0.0.9/32"}
    ]
    assert [step["transition"] for step in document["steps"]][:2] == ["rotate_candidate", "canary"]
    assert document["requested_by"] == "requester"


@pytest.mark.parametrize(
    ("of_step", "of_release", "state"),
    [
        ({"status": "planning"}, {}, "going_on"),
        ({"status": "applying"}, {}, "going_on"),
        ({"status": "waiting", "gate": False}, {}, "waiting_for_start"),
        ({"status": "waiting", "gate": False, "automatic": True}, {}, "going_on"),
        ({"status": "waiting", "gate": False, "started_at": timezone.now()}, {}, "going_on"),
        ({"status": "failed", "problem": "no", "problem_code": "x:y"}, {}, "failed"),
        ({"status": "failed"}, {"status": "paused"}, "failed"),
        ({"status": "rejected"}, {}, "step_rejected"),
        ({"status": "waiting"}, {"status": "paused"}, "paused"),
        ({}, {"status": "promoted"}, "promoted"),
        ({}, {"status": "rolled_back"}, "rolled_back"),
        ({}, {"status": "rejected"}, "rejected"),
        ({}, {"status": "cancelled"}, "cancelled"),
    ],
)
def test_where_a_release_stands_is_one_word(scene, secret, of_step, of_release, state):
    Step.objects.filter(pk=scene.canary.pk).update(**of_step)
    Release.objects.update(**of_release)
    assert release(secret, scene)["state"] == state


def test_the_version_changes_with_what_is_said_and_with_nothing_else(scene, secret):
    before = release(secret, scene)["version"]
    assert release(secret, scene)["version"] == before
    Step.objects.filter(pk=scene.canary.pk).update(started_at=timezone.now())
    assert release(secret, scene)["version"] != before


def test_twenty_more_steps_need_no_more_queries(scene, secret):
    release(secret, scene)
    counts = []
    for first in (20, 40):
        with CaptureQueriesContext(connection) as captured:
            release(secret, scene)
        counts.append(len(captured))
        for position in range(first, first + 20):
            factories.StepFactory.create(release=scene.release, position=position, candidate_share=99)
    assert counts[0] == counts[1]


def test_a_problem_that_nobody_expected_is_a_document_without_its_details(scene, secret, monkeypatch):
    def broken(*_):
        raise RuntimeError("a secret detail")

    monkeypatch.setattr("releases.api.releases.release_shown", broken)
    document = problem(call(secret, "GET", f"/services/catalog/releases/{scene.release.number}"), 500)
    assert document["code"] == "server:failed"
    assert "secret" not in str(document)

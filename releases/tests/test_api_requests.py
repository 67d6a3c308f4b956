"""Requesting a release by the API: what is said, what is left to the service's usual plan, and what is refused."""

import pytest

from audit.models import AuditEvent
from releases.models import Release
from releases.tests import factories
from releases.tests.api import call, problem, secret_of


@pytest.fixture
def secret(aws, service) -> str:
    return secret_of(factories.requester(service))


def send(secret, body, key="one", **headers):
    return call(secret, "POST", "/services/catalog/releases", body, **{"Idempotency-Key": key, **headers})


def refused_fields(answer, status=422):
    return [one["field"] for one in problem(answer, status)["errors"]]


def test_a_tag_alone_goes_the_service_s_usual_way(secret, service):
    service.automatic_steps, service.bake_seconds = ["rotation", "canary"], 7
    service.extra_gates = ["shift-25"]
    service.save()
    answer = send(secret, {"tag": "green", "reason": "Fix the VAT"})
    assert answer.status_code == 201
    document = answer.json()
    release = Release.objects.get()
    assert answer["Location"] == f"/api/v1/services/catalog/releases/{release.number}"
    assert (document["tag"], document["reason"], document["requested_by"]) == (
        *("green", "Fix the VAT"),
        "requester",
    )
    steps = {step["transition"]: step for step in document["steps"]}
    assert [step["share"] for step in document["steps"] if step["transition"] == "shift"] == service.weights
    assert steps["canary"]["automatic"]
    assert [one.gate for one in release.steps.filter(candidate_share=25)] == [True]
    assert [one.bake_seconds for one in release.steps.filter(transition="canary")] == [7]
    assert release.canary_addresses == service.canary_addresses
    assert AuditEvent.objects.get(action="release.requested").via == "token"


def test_everything_may_be_said(secret, service):
    body = {
        "tag": "green",
        "digest": factories.image_of("green").partition("@")[2],
        "weights": [5, 50],
        "canary": True,
        "canary_addresses": ["203.0.113.7"],
        "gates": ["shift-50"],
        "automatic": ["rotation", "shift-5"],
        "bake_seconds": 10,
        "bakes": {"shift-5": 20},
        "gives_up_old_version": True,
        "reason": "x",
        "configuration": {
            "memory_size": 256,
            "environment": {"AA": "1"},
            "secrets": {"BB": "hunter2hunter2"},
        },
    }
    assert send(secret, body).status_code == 201
    release = Release.objects.get()
    shifts = list(release.steps.filter(transition="shift").order_by("position"))
    assert [(one.candidate_share, one.gate, one.automatic, one.bake_seconds) for one in shifts] == [
        (5, False, True, 20),
        (50, True, False, 10),
    ]
    assert release.canary_addresses == ["203.0.113.7/32"]
    assert release.configuration["memory_size"] == 256
    assert release.configuration["environment"]["AA"] == "1"
    assert "hunter2" not in str(release.configuration) + str(list(AuditEvent.objects.values()))


def test_a_configuration_alone_keeps_the_image_and_all_that_is_not_said(secret, service):
    service.blue_configuration = {"timeout": 20, "environment": {"AA": "1", "BB": "2"}}
    service.save()
    body = {"configuration": {"memory_size": 512, "environment": {"BB": None, "CC": "3"}}}
    assert send(secret, body).status_code == 201
    release = Release.objects.get()
    assert release.image == service.blue_image
    assert release.configuration == {
        "memory_size": 512,
        "timeout": 20,
        "environment": {"AA": "1", "CC": "3"},
    }


def test_a_secret_stays_until_it_is_removed_or_written_again(secret, service):
    send(secret, {"configuration": {"secrets": {"KEY": "hunter2hunter2", "OLD": "hunter3hunter3"}}})
    first = Release.objects.get()
    service.blue_configuration = first.configuration
    service.save()
    Release.objects.update(status="promoted")
    first.steps.update(status="done")
    body = {"configuration": {"timeout": 9, "environment": {"OLD": None}}}
    assert send(secret, body, key="two").status_code == 201
    second = Release.objects.get(status="open")
    assert second.configuration["environment"] == {"KEY": first.configuration["environment"]["KEY"]}


def test_a_tag_that_leads_to_another_image_than_the_pipeline_made_is_refused(secret):
    document = problem(send(secret, {"tag": "green", "digest": "sha256:" + "0" * 64}), 409)
    assert document["code"] == "request:digest"
    assert not Release.objects.exists()


def test_without_a_tag_nothing_but_the_image_that_the_users_have_is_released(secret, service):
    service.blue_image = factories.image_of("another blue")
    service.save()
    document = problem(send(secret, {"configuration": {"memory_size": 512}}), 409)
    assert document["code"] == "request:digest"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tag": 7}, "tag"),
        ({"tag": "no such"}, "tag"),
        ({"tag": "missing"}, "tag"),
        ({"tag": "green", "digest": "x"}, "digest"),
        ({"tag": "green", "weights": ["10"]}, "weights.0"),
        ({"tag": "green", "weights": [True]}, "weights.0"),
        ({"tag": "green", "weights": 10}, "weights"),
        ({"tag": "green", "weights": [50, 10]}, "weights"),
        ({"tag": "green", "weights": []}, "weights"),
        ({"tag": "green", "gates": ["shift-7"]}, "gates"),
        ({"tag": "green", "automatic": ["x"]}, "automatic"),
        ({"tag": "green", "bakes": {"x": 1}}, "bakes"),
        ({"tag": "green", "bake_seconds": -1}, "bake_seconds"),
        ({"tag": "green", "canary": "yes"}, "canary"),
        ({"tag": "green", "canary_addresses": ["everywhere"]}, "canary_addresses"),
        ({"tag": "green", "reason": "x" * 2001}, "reason"),
        ({"tag": "green", "configuration": {"memory_size": 1}}, "configuration.memory_size"),
        ({"tag": "green", "configuration": {"memory": 1}}, "configuration.memory"),
        ({"tag": "green", "configuration": {"environment": {"A": 1}}}, "configuration.environment.A"),
        (
            {"tag": "green", "configuration": {"environment": {"AA": "1"}, "secrets": {"AA": "2" * 8}}},
            "configuration.environment",
        ),
        ([], "body"),
        ("green", "body"),
        (None, "body"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(secret, body, field):
    assert refused_fields(send(secret, body)) == [field]
    assert not Release.objects.exists()


@pytest.mark.parametrize(
    "field",
    [
        "approved",
        "requested_by",
        "status",
        "number",
        "service",
        "image",
        "keep_plan",
        "changed_by",
        "steps",
        "id",
    ],
)
def test_what_is_not_the_requester_s_to_set_is_refused(secret, field):
    assert refused_fields(send(secret, {"tag": "green", field: "x"})) == [field]
    assert not Release.objects.exists()


def test_a_second_release_waits_for_the_first_one(secret):
    send(secret, {"tag": "green"})
    problem(send(secret, {"tag": "yellow"}, key="two"), 409)
    assert Release.objects.count() == 1


def test_aws_that_does_not_answer_is_a_problem_that_is_not_the_pipeline_s(secret, aws):
    aws.is_down = True
    assert problem(send(secret, {"tag": "green"}), 502)["code"] == "aws:unreachable"

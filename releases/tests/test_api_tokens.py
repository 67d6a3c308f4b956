"""What a token lets its bearer do: never more than its person may, and as long as both count."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from guardian.shortcuts import remove_perm

from audit.events import Actor
from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.approval.approval_policy import PlanIdentity
from releases.models import Token
from releases.permissions import as_person, grant, grant_set_up, may_set_up_services, services_with
from releases.services.access import tokens
from releases.services.access.tokens import WantedToken
from releases.services.approval import approvals
from releases.services.approval.gates import StepGate
from releases.services.errors import FieldsInvalid
from releases.tests import factories
from releases.tests.api import bearer, call, problem, secret_of

ADMIN = Actor(id="1", name="ada", via="page")


def status(secret: str, path: str = "/services/catalog") -> int:
    return call(secret, "GET", path).status_code


def names(secret: str) -> list[str]:
    return [one["name"] for one in call(secret, "GET", "/services").json()["items"]]


def test_a_token_shows_what_its_person_may_see(scene):
    factories.ServiceFactory.create(name="hidden")
    assert names(secret_of(scene.manager)) == ["catalog"]


@pytest.mark.parametrize(
    "end",
    [
        lambda user: tokens.revoke(Token.objects.get(), actor=ADMIN),
        lambda user: Token.objects.update(
            created_at=F("created_at") - timedelta(days=31), expires_at=timezone.now() - timedelta(seconds=1)
        ),
        lambda user: type(user).objects.filter(pk=user.pk).update(is_active=False),
        lambda user: user.delete(),
    ],
    ids=["revoked", "expired", "deactivated", "removed"],
)
def test_a_token_that_has_ended_or_whose_person_has_is_refused_at_once(service, end):
    user = factories.person("rosa", service, Permission.VIEW)
    secret = secret_of(user)
    assert status(secret) == 200
    end(user)
    assert problem(call(secret, "GET", "/services/catalog"), 401)["code"] == "token:none"


def test_a_right_that_is_taken_away_is_gone_from_the_token_at_once(scene):
    secret = secret_of(scene.requester)
    remove_perm("view_service", scene.requester, scene.service)
    assert status(secret) == 404


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"services": []}, []),
        ({"environment": "staging"}, []),
        ({"environment": "production"}, ["catalog", "other"]),
    ],
)
def test_a_token_reaches_no_further_than_its_scope(scene, scope, expected):
    other = factories.ServiceFactory.create(name="other")
    for permission in (Permission.VIEW, Permission.REQUEST):
        grant(scene.requester, other, permission)
    assert names(secret_of(scene.requester, **scope)) == expected


def test_a_token_of_one_service_reaches_no_other_one(scene):
    other = factories.ServiceFactory.create(name="other")
    grant(scene.requester, other, Permission.VIEW)
    secret = secret_of(scene.requester, services=[other])
    assert (names(secret), status(secret)) == (["other"], 404)


def test_what_a_token_does_not_pass_on_its_bearer_may_not_do_and_what_its_person_may_not_neither(scene):
    acting = bearer(secret_of(scene.manager, Permission.REQUEST, Permission.OPERATE))
    assert as_person(acting, scene.service).permissions == {Permission.VIEW, Permission.REQUEST}
    assert as_person(scene.manager, scene.service).permissions > {Permission.APPROVE}
    assert not services_with(acting, Permission.APPROVE).exists()
    assert services_with(acting, Permission.REQUEST).exists()


def test_no_token_sets_up_services(scene):
    grant_set_up(scene.operator)
    assert may_set_up_services(scene.operator)
    assert not may_set_up_services(bearer(secret_of(scene.operator)))


def test_an_approval_by_a_token_counts_as_long_as_its_person_may_whatever_else_a_token_says(scene):
    acting = bearer(secret_of(scene.manager, Permission.APPROVE))
    run = scene.canary.plan_run
    shown = PlanIdentity(sha256=run.plan_sha256, changes_digest=run.changes_digest)
    approvals.approve(step_id=scene.canary.pk, user=acting, shown=shown)
    assert StepGate(scene.service, scene.canary).is_open


def test_only_the_digest_of_a_secret_is_kept(scene):
    secret = secret_of(scene.manager)
    assert secret.startswith("bg_")
    assert len(secret) > 40
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_jsonb(one)::text FROM releases_token AS one")
        [(stored,)] = cursor.fetchall()
        cursor.execute("SELECT to_jsonb(event)::text FROM audit_auditevent AS event")
        told = str(cursor.fetchall())
    assert secret not in stored + told
    assert Token.objects.get().hint == secret[:8]


def test_making_and_revoking_a_token_are_events_and_revoking_twice_is_one(scene):
    secret_of(scene.manager, Permission.REQUEST, services=[scene.service])
    token = Token.objects.get()
    tokens.revoke(token, actor=ADMIN)
    tokens.revoke(token, actor=ADMIN)
    made, revoked = AuditEvent.objects.order_by("id")
    assert (made.action, made.actor_name, revoked.action, revoked.actor_name) == (
        *("token.made", "manager"),
        *("token.revoked", "ada"),
    )
    assert made.subject == {"token_id": str(token.pk), "name": "ci", "of": "manager"}
    assert made.after["permissions"] == ["request", "view"]
    assert made.after["services"] == [str(scene.service.pk)]


@pytest.mark.parametrize("days", [0, -1, 366])
def test_a_token_ends_within_a_year(scene, days):
    with pytest.raises(FieldsInvalid) as refused:
        secret_of(scene.manager, days=days)
    assert "days" in refused.value.by_field
    assert secret_of(scene.manager, days=365)


def test_nobody_gathers_tokens_without_end(scene, monkeypatch):
    monkeypatch.setattr(tokens, "MOST_TOKENS", 2)
    secret_of(scene.manager)
    tokens.revoke(Token.objects.get(), actor=ADMIN)
    secret_of(scene.manager)
    secret_of(scene.manager)
    with pytest.raises(FieldsInvalid):
        tokens.make(scene.manager, WantedToken(name="x", days=1, permissions=frozenset()))
    assert secret_of(scene.requester)


def test_the_last_use_is_noted_once_a_minute(scene):
    secret = secret_of(scene.manager)

    def used() -> datetime | None:
        return Token.objects.get().last_used_at

    assert used() is None
    status(secret)
    first = used()
    status(secret)
    assert used() == first is not None
    earlier = first - timedelta(minutes=1)
    Token.objects.update(last_used_at=earlier)
    status(secret)
    assert used() != earlier


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic {}", "{}", "Token {}", "Bearer {}x", "Bearer é"]
)
def test_any_other_header_is_no_token(scene, header):
    secret = secret_of(scene.manager)
    problem(call(None, "GET", "/services", Authorization=header.format(secret)), 401)


def test_twenty_services_need_as_many_queries_as_one(scene):
    secret = secret_of(scene.manager)
    status(secret, "/services")
    counts = []
    for _ in range(2):
        with CaptureQueriesContext(connection) as captured:
            assert status(secret, "/services?limit=100") == 200
        counts.append(len(captured))
        for service in factories.ServiceFactory.create_batch(19):
            grant(scene.manager, service, Permission.VIEW)
    assert counts[0] == counts[1] <= 6
    assert len(names(secret)) == 39


def test_pages_of_services_follow_each_other_without_gap_or_double(scene):
    for letter in "dab":
        grant(scene.manager, factories.ServiceFactory.create(name=letter), Permission.VIEW)
    secret, seen, path = secret_of(scene.manager), [], "/services?limit=3"
    while path:
        page = call(secret, "GET", path).json()
        seen += [one["name"] for one in page["items"]]
        path = (page["next"] or "").removeprefix("/api/v1")
    assert seen == ["a", "b", "catalog", "d"]


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x", "after=a%00", "after=a/b"])
def test_a_page_that_there_cannot_be_is_refused_by_the_parameters_name(scene, query):
    document = problem(call(secret_of(scene.manager), "GET", f"/services?{query}"), 422)
    assert [one["field"] for one in document["errors"]] == [query.partition("=")[0]]

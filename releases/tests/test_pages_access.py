"""Who gets what from which address. A new address without a row fails the first test."""

from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from audit import events
from audit.events import Actor
from audit.models import AuditEvent
from releases.domain.decisions import Permission
from releases.models import EmergencyRollback, Service, ServiceAccount, Step, Token
from releases.permissions import grant
from releases.services import tokens
from releases.services.tokens import WantedToken
from releases.tests import factories

ROLES = ["anonymous", "stranger", "viewer", "requester", "manager", "operator"]
SIGN_IN = 302

# name: (method, whose page, status for each of ROLES); the streams' own tests have the rest of their rows.
TABLE = [
    ("login", "get", 200, 302, 302, 302, 302, 302),
    ("logout", "post", 302, 302, 302, 302, 302, 302),
    ("logout", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("password-set", "get", 200, 200, 200, 200, 200, 200),
    ("password-set", "post", 200, 200, 200, 200, 200, 200),
    ("service-list", "get", SIGN_IN, 200, 200, 200, 200, 200),
    ("service-list", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("service-new", "get", SIGN_IN, 403, 403, 403, 403, 403),
    ("service-new", "post", SIGN_IN, 403, 403, 403, 403, 403),
    ("rollback-all", "get", SIGN_IN, 200, 200, 200, 200, 200),
    ("rollback-all", "post", SIGN_IN, 302, 302, 302, 302, 302),
    ("rollback-all-result", "get", SIGN_IN, 200, 200, 200, 200, 200),
    ("rollback-all-result", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("tokens", "get", SIGN_IN, 200, 200, 200, 200, 200),
    ("tokens", "post", SIGN_IN, 422, 422, 422, 422, 422),
    ("token-revoke", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("token-revoke", "post", SIGN_IN, 404, 404, 404, 302, 404),
    ("person-list", "get", SIGN_IN, 403, 403, 403, 403, 403),
    ("person-list", "post", SIGN_IN, 403, 403, 403, 403, 403),
    ("person", "get", SIGN_IN, 403, 403, 403, 403, 403),
    ("person", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("person-deactivate", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("person-deactivate", "post", SIGN_IN, 403, 403, 403, 403, 403),
    ("person-reactivate", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("person-reactivate", "post", SIGN_IN, 403, 403, 403, 403, 403),
    ("person-password", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("person-password", "post", SIGN_IN, 403, 403, 403, 403, 403),
    ("token-list", "get", SIGN_IN, 403, 403, 403, 403, 403),
    ("token-list", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("token-list-revoke", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("token-list-revoke", "post", SIGN_IN, 403, 403, 403, 403, 403),
    ("group-list", "get", SIGN_IN, 403, 403, 403, 403, 403),
    ("group-list", "post", SIGN_IN, 403, 403, 403, 403, 403),
    ("group", "get", SIGN_IN, 403, 403, 403, 403, 403),
    ("group", "post", SIGN_IN, 403, 403, 403, 403, 403),
    ("member-remove", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("member-remove", "post", SIGN_IN, 403, 403, 403, 403, 403),
    ("inbox", "get", SIGN_IN, 200, 200, 200, 200, 200),
    ("inbox", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("inbox-item", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("inbox-item", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("inbox-approve", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("inbox-approve", "post", SIGN_IN, 404, 403, 403, 302, 403),
    ("inbox-reject", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("inbox-reject", "post", SIGN_IN, 404, 403, 403, 302, 403),
    ("inbox-approve-routine", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("inbox-approve-routine", "post", SIGN_IN, 302, 302, 302, 302, 302),
    ("report", "get", SIGN_IN, 200, 200, 200, 200, 200),
    ("report", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("report-file", "get", SIGN_IN, 200, 200, 200, 200, 200),
    ("report-file", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("service-detail", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("service-detail", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("audit", "get", SIGN_IN, 200, 200, 200, 200, 200),
    ("audit", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("audit-event", "get", SIGN_IN, 404, 404, 404, 200, 404),
    ("audit-event", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("audit-export", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("audit-export", "post", SIGN_IN, 302, 302, 302, 302, 302),
    ("service-trail", "get", SIGN_IN, 404, 403, 403, 302, 403),
    ("service-people", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("service-people", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("role-take", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("role-take", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("service-messages", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("service-messages", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("message-list", "get", SIGN_IN, 200, 200, 200, 200, 200),
    ("message-list", "post", SIGN_IN, 403, 403, 403, 403, 403),
    ("my-mails", "get", SIGN_IN, 200, 200, 200, 200, 200),
    ("my-mails", "post", SIGN_IN, 302, 302, 302, 302, 302),
    ("delivery-retry", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("delivery-retry", "post", SIGN_IN, 404, 404, 404, 404, 404),
    ("service-trail", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("service-settings", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("service-settings", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("service-defaults", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("service-defaults", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("service-default-steps", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("service-default-steps", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("service-removal", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("service-removal", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("service-policy", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("service-policy", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("environment-policy", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("environment-policy", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("service-accounts", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("service-accounts", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("account-token", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("account-token", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("account-token-revoke", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("account-token-revoke", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("account-end", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("account-end", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("change-approve", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("change-approve", "post", SIGN_IN, 404, 403, 403, 409, 403),
    ("change-reject", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("change-reject", "post", SIGN_IN, 404, 403, 403, 409, 403),
    ("change-cancel", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("change-cancel", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("change-retry", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("change-retry", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("release-request", "get", SIGN_IN, 404, 403, 200, 200, 403),
    ("release-request", "post", SIGN_IN, 404, 403, 422, 422, 403),
    ("release-request-steps", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("release-request-steps", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("release-detail", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("release-detail", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("release-record", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("release-record", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("record-file", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("record-file", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("step-variables", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("step-variables", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("step-start", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("step-start", "post", SIGN_IN, 404, 403, 403, 403, 302),
    ("step-approve", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("step-approve", "post", SIGN_IN, 404, 403, 403, 302, 403),
    ("step-reject", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("step-reject", "post", SIGN_IN, 404, 403, 403, 302, 403),
    ("step-withdraw", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("step-withdraw", "post", SIGN_IN, 404, 403, 403, 409, 403),
    ("release-mark-image", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("release-mark-image", "post", SIGN_IN, 404, 403, 403, 302, 302),
    ("release-lift-mark", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("release-lift-mark", "post", SIGN_IN, 404, 409, 409, 409, 409),
    ("step-break-glass", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("step-break-glass", "post", SIGN_IN, 404, 403, 403, 403, 403),
    ("broken-glass-review", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("broken-glass-review", "post", SIGN_IN, 404, 403, 403, 409, 403),
    ("step-retry", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("step-retry", "post", SIGN_IN, 404, 403, 403, 403, 409),
    ("step-skip", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("step-skip", "post", SIGN_IN, 404, 403, 403, 403, 302),
    ("step-skip-bake", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("step-skip-bake", "post", SIGN_IN, 404, 403, 403, 403, 409),
    ("release-pause", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("release-pause", "post", SIGN_IN, 404, 403, 403, 403, 302),
    ("release-resume", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("release-resume", "post", SIGN_IN, 404, 403, 403, 403, 409),
    ("release-cancel", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("release-cancel", "post", SIGN_IN, 404, 403, 302, 403, 409),
    ("release-share", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("release-share", "post", SIGN_IN, 404, 403, 403, 403, 302),
    ("release-address", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("release-address", "post", SIGN_IN, 404, 403, 403, 403, 409),
    ("release-again", "get", SIGN_IN, 404, 403, 200, 200, 403),
    ("release-again", "post", SIGN_IN, 404, 403, 422, 422, 403),
    ("prepare-release", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("prepare-release", "post", SIGN_IN, 404, 403, 403, 403, 409),
    ("run-log", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("run-log", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("run-download", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("run-download", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("rollback", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("rollback", "post", SIGN_IN, 404, 403, 403, 302, 302),
    ("rollback-result", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("rollback-result", "post", SIGN_IN, 405, 405, 405, 405, 405),
    ("rehearsal", "get", SIGN_IN, 404, 200, 200, 200, 200),
    ("rehearsal", "post", SIGN_IN, 404, 403, 403, 302, 302),
    ("rollback-reason", "get", SIGN_IN, 405, 405, 405, 405, 405),
    ("rollback-reason", "post", SIGN_IN, 404, 403, 302, 302, 302),
]
STREAMS = {"list-events", "service-events", "run-events"}


def names(patterns: Iterable[URLPattern | URLResolver]) -> set[str]:
    found: set[str] = set()
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            # The API's have rows of their own (test_api_access.py).
            found |= names(pattern.url_patterns) if pattern.namespace != "api" else set()
        else:
            found.add(str(pattern.name))
    return found


@pytest.fixture
def rollback(scene) -> EmergencyRollback:
    """One that is over, so that it is in nobody's way."""
    converge = Step.objects.create(
        service=scene.service, transition="rollback", candidate_share=0, status="done"
    )
    return EmergencyRollback.objects.create(
        service=scene.service,
        epoch=0,
        pressed_by=scene.manager,
        pressed_at=converge.created_at,
        converge=converge,
    )


@pytest.fixture
def program(scene) -> ServiceAccount:
    """Made by somebody else."""
    user = factories.UserFactory.create(username="ci")
    maker = factories.UserFactory.create(username="maker")
    return ServiceAccount.objects.create(user=user, service=scene.service, made_by=maker)


@pytest.fixture
def token(scene) -> Token:
    """The manager's."""
    return tokens.make(scene.manager, WantedToken(name="ci", days=1, permissions=frozenset()))[0]


@pytest.fixture
def people(scene) -> dict[str, User]:
    return {
        "stranger": factories.UserFactory.create(),
        "viewer": factories.person("viewer", scene.service, Permission.VIEW),
        "requester": scene.requester,
        "manager": scene.manager,
        "operator": scene.operator,
    }


def seen_event(service: Service) -> AuditEvent:
    actor = Actor(id="", name="x", via="page")
    return events.record(actor=actor, action="step.done", service_id=str(service.pk))


@pytest.fixture
def addresses(scene, rollback, token, program) -> dict[str, str]:
    name, step, run = scene.service.name, scene.canary.pk, scene.canary.plan_run.pk
    arguments: dict[str, list[Any]] = {
        "login": [],
        "logout": [],
        "password-set": ["x", "y"],
        "person-list": [],
        "group-list": [],
        "token-list": [],
        "token-list-revoke": [token.pk],
        "group": [0],
        "member-remove": [0, 0],
        **{f"person{act}": [0] for act in ("", "-deactivate", "-reactivate", "-password")},
        "service-list": [],
        "inbox": [],
        "report": [],
        "report-file": ["csv"],
        "tokens": [],
        "token-revoke": [token.pk],
        **{act: [name, program.pk] for act in ("account-token", "account-end")},
        "account-token-revoke": [name, program.pk, token.pk],
        "audit": [],
        "audit-export": [],
        "audit-event": [seen_event(scene.service).pk],
        "inbox-approve-routine": [],
        "message-list": [],
        "my-mails": [],
        "delivery-retry": [uuid4()],
        "role-take": [name, uuid4()],
        **{f"inbox-{what}": [step] for what in ("item", "approve", "reject")},
        "service-new": [],
        "rollback-all": [],
        "rollback-all-result": [rollback.pk],
        "release-detail": [name, scene.release.number],
        "step-variables": [name, step],
        "step-start": [name, step],
        "step-approve": [name, step],
        "step-reject": [name, step],
        "step-withdraw": [name, step],
        "release-mark-image": [name, scene.release.number],
        "release-lift-mark": [name, scene.release.number],
        "step-break-glass": [name, step],
        "broken-glass-review": [name, factories.broken_glass(scene.canary, scene.operator).pk],
        "step-retry": [name, step],
        "environment-policy": ["production"],
        "step-skip": [name, step],
        "step-skip-bake": [name, step],
        "release-pause": [name, scene.release.number],
        "release-resume": [name, scene.release.number],
        "release-cancel": [name, scene.release.number],
        "release-share": [name, scene.release.number],
        "release-address": [name, scene.release.number],
        "release-again": [name, scene.release.number],
        "release-record": [name, scene.release.number],
        "record-file": [name, scene.release.number, "pdf"],
        "run-log": [name, run],
        "run-download": [name, run],
        "rollback-result": [name, rollback.pk],
        "rollback-reason": [name, rollback.pk],
        **{f"change-{act}": [name, rollback.converge_id] for act in ("approve", "reject", "cancel", "retry")},
    }
    return {row[0]: reverse(row[0], args=arguments.get(row[0], [name])) for row in TABLE}


@pytest.fixture
def sent(scene) -> dict[str, str]:
    """What any of the forms needs."""
    run = scene.canary.plan_run
    shown = {"sha256": run.plan_sha256, "changes_digest": run.changes_digest, "comment": "not today"}
    settings = {
        "priority": "300",
        "canary_slots": "1",
        "stickiness_seconds": "0",
        "provisioned_concurrency": "0",
        "rotation": "copy",
        "settle_seconds": "2",
        "rollback_window_seconds": "60",
        "gives_up_requests": "yes",
        "reason": "why",
    }
    return {
        **settings,
        **shown,
        "tag": "green",
        "weights": "50",
        "choice": "Errors",
        "bake_seconds": "0",
        "share": "5",
    }


def test_every_address_has_a_row():
    assert names(get_resolver().url_patterns) == {row[0] for row in TABLE} | STREAMS


@pytest.mark.parametrize(("name", "method", *ROLES), TABLE, ids=[f"{row[1]} {row[0]}" for row in TABLE])
def test_each_role_gets_what_the_table_says(
    aws, people, addresses, sent, name, method, anonymous, stranger, viewer, requester, manager, operator
):
    expected = dict(zip(ROLES, [anonymous, stranger, viewer, requester, manager, operator], strict=True))
    got = {}
    for role in ROLES:
        client = Client()
        if role != "anonymous":
            client.force_login(people[role])
        got[role] = getattr(client, method)(addresses[name], sent if method == "post" else None).status_code
    assert got == expected


def test_nobody_signed_in_is_led_to_the_sign_in_and_back(client, scene):
    response = client.get("/services/catalog/")
    assert response.url == "/login/?next=/services/catalog/"


@pytest.mark.parametrize(
    "address",
    [
        "/services/other/releases/{release.number}/",
        "/services/other/releases/{release.number}/record/",
        "/services/other/releases/{release.number}/record.pdf",
        "/services/catalog/releases/{release.number}/record.exe",
        "/services/other/steps/{canary.pk}/variables.tfvars",
        "/services/other/runs/{canary.plan_run_id}/",
        "/services/other/runs/{canary.plan_run_id}/log.txt",
        "/services/other/rollback/{rollback.pk}/",
        "/services/catalog/runs/{nothing}/",
        "/services/catalog/releases/999/",
    ],
)
def test_what_belongs_to_another_service_is_not_found_below_this_one(scene, rollback, as_user, address):
    other = factories.ServiceFactory.create(name="other")
    grant(scene.manager, other, Permission.VIEW)
    path = address.format(release=scene.release, canary=scene.canary, rollback=rollback, nothing=uuid4())
    assert as_user(scene.manager).get(path).status_code == 404


@pytest.mark.parametrize("act", ["start", "approve", "reject", "withdraw", "retry", "skip", "skip-bake"])
def test_no_act_reaches_a_step_of_another_service(scene, sent, as_user, act):
    other = factories.ServiceFactory.create(name="other")
    grant(scene.manager, other, *Permission)
    response = as_user(scene.manager).post(f"/services/other/steps/{scene.canary.pk}/{act}/", sent)
    scene.canary.refresh_from_db()
    assert response.status_code == 404
    assert scene.canary.status == "waiting"


def test_a_form_without_its_token_changes_nothing_and_says_so(scene):
    client = Client(enforce_csrf_checks=True)
    client.force_login(scene.operator)
    response = client.post(f"/services/catalog/steps/{scene.canary.pk}/start/")
    scene.canary.refresh_from_db()
    assert response.status_code == 403
    assert b"The page was too old" in response.content
    assert scene.canary.started_at is None


def test_pages_load_scripts_by_nonce_only_and_hold_no_inline_style(scene, as_user):
    response = as_user(scene.manager).get(f"/services/catalog/releases/{scene.release.number}/")
    policy = response["Content-Security-Policy"]
    assert f"script-src 'nonce-{response.context['CSP_NONCE']}'" in policy
    assert b"style=" not in response.content
    assert b"onclick" not in response.content

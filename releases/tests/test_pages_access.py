"""Who gets what from which address: each role, at every page, stream and operation of the API, in one table.

The addresses come from the URL table itself: a new one without a row here fails.
"""

import pytest
from django.test import Client

from audit.models import AuditEvent
from releases.domain.access.roles import Role
from releases.live import watching
from releases.permissions import grant_set_up
from releases.tests.every_address import API, Asker, every_address
from releases.tests.world import World, make_world

NONE = "00000000-0000-4000-8000-000000000000"
ROLES = ["none", "other", *(role.value for role in Role)]

# A row has the method and the address, and the status for each role: "none" has none, "other" manages another service.
# Of a method that is not here the answer is 405, to everybody. What counts is who may, so 409 (not now) and 422 (not
# filled in) stand for 302 where the answer depends on more than that.
TABLE = """
                           none other viewer requester approver operator manager auditor admin
GET  login                  302   302    302       302      302      302     302     302   302
POST login                  302   302    302       302      302      302     302     302   302
POST logout                 302   302    302       302      302      302     302     302   302
GET  password-set           200   200    200       200      200      200     200     200   200
POST password-set           200   200    200       200      200      200     200     200   200
GET  own-password           200   200    200       200      200      200     200     200   200
POST own-password           422   422    422       422      422      422     422     422   422
GET  api:list_services      200   200    200       200      200      200     200     200   200
GET  api:get_service        404   404    200       200      200      200     200     200   200
POST api:request_release    404   404    403       409      403      403     409     403   409
GET  api:get_release        404   404    200       200      200      200     200     200   200
POST api:approve_step       404   404    403       403      200      403     200     403   200
POST api:reject_step        404   404    403       403      200      403     200     403   200
POST api:cancel_release     404   404    403       403      403      200     403     403   200
POST api:roll_back          404   404    403       403      403      200     200     403   200
GET  service-list           200   200    200       200      200      200     200     200   200
GET  rollback-all           200   200    200       200      200      200     200     200   200
POST rollback-all           302   302    302       302      302      302     302     302   302
GET  rollback-all-result    200   200    200       200      200      200     200     200   200
GET  audit                  200   200    200       200      200      200     200     200   200
POST audit-export           200   200    200       200      200      200     200     200   200
GET  audit-event            404   404    404       404      404      404     200     200   200
GET  tokens                 200   200    200       200      200      200     200     200   200
POST tokens                 422   422    422       422      422      422     422     422   422
POST token-revoke           404   404    404       404      404      404     302     404   404
GET  person-list            403   403    403       403      403      403     403     403   200
POST person-list            403   403    403       403      403      403     403     403   422
GET  person                 403   403    403       403      403      403     403     403   200
POST person-deactivate      403   403    403       403      403      403     403     403   302
POST person-reactivate      403   403    403       403      403      403     403     403   302
POST person-password        403   403    403       403      403      403     403     403   201
GET  token-list             403   403    403       403      403      403     403     403   200
POST token-list-revoke      403   403    403       403      403      403     403     403   302
GET  group-list             403   403    403       403      403      403     403     403   200
POST group-list             403   403    403       403      403      403     403     403   422
GET  group                  403   403    403       403      403      403     403     403   200
POST group                  403   403    403       403      403      403     403     403   422
POST group-remove           403   403    403       403      403      403     403     403   302
POST member-remove          403   403    403       403      403      403     403     403   302
GET  inbox                  200   200    200       200      200      200     200     200   200
POST inbox-approve-routine  302   302    302       302      302      302     302     302   302
GET  inbox-item             404   404    200       200      200      200     200     200   200
POST inbox-approve          404   404    403       403      302      403     302     403   302
POST inbox-reject           404   404    403       403      302      403     302     403   302
GET  report                 200   200    200       200      200      200     200     200   200
GET  report-file            200   200    200       200      200      200     200     200   200
GET  message-list           200   200    200       200      200      200     200     200   200
POST message-list           403   403    403       403      403      403     403     403   422
GET  my-mails               200   200    200       200      200      200     200     200   200
POST my-mails               302   302    302       302      302      302     302     302   302
POST delivery-retry         404   404    404       404      404      404     302     404   302
GET  service-new            403   403    403       403      403      403     403     403   403
POST service-new            403   403    403       403      403      403     403     403   403
GET  service-detail         404   404    200       200      200      200     200     200   200
GET  service-settings       404   404    200       200      200      200     200     200   200
POST service-settings       404   404    403       403      403      403     422     403   422
POST service-defaults       404   404    403       403      403      403     302     403   302
GET  service-default-steps  404   404    200       200      200      200     200     200   200
GET  service-policy         404   404    200       200      200      200     200     200   200
POST service-policy         404   404    403       403      403      403     422     403   422
GET  environment-policy     404   200    200       200      200      200     200     200   200
POST environment-policy     404   403    403       403      403      403     403     403   422
POST service-removal        404   404    403       403      403      403     422     403   422
POST change-approve         404   404    403       403      409      403     409     403   409
POST change-reject          404   404    403       403      409      403     409     403   409
POST change-cancel          404   404    403       403      403      403     409     403   409
POST change-retry           404   404    403       403      403      403     409     403   409
GET  service-people         404   404    200       200      200      200     200     200   200
POST service-people         404   404    403       403      403      403     422     403   422
POST role-take              404   404    403       403      403      403     302     403   302
GET  service-messages       404   404    200       200      200      200     200     200   200
POST service-messages       404   404    403       403      403      403     422     403   422
GET  service-trail          404   404    403       403      403      403     302     302   302
GET  service-accounts       404   404    200       200      200      200     200     200   200
POST service-accounts       404   404    403       403      403      403     422     403   422
POST account-token          404   404    403       403      403      403     422     403   422
POST account-token-revoke   404   404    403       403      403      403     302     403   302
POST account-end            404   404    403       403      403      403     302     403   302
POST prepare-release        404   404    403       403      403      409     403     403   409
GET  release-request        404   404    403       200      403      403     200     403   200
POST release-request        404   404    403       422      403      403     422     403   422
GET  release-request-steps  404   404    200       200      200      200     200     200   200
GET  release-detail         404   404    200       200      200      200     200     200   200
GET  release-record         404   404    200       200      200      200     200     200   200
GET  record-file            404   404    200       200      200      200     200     200   200
GET  release-again          404   404    403       200      403      403     200     403   200
POST release-again          404   404    403       422      403      403     422     403   422
POST release-pause          404   404    403       403      403      302     403     403   302
POST release-resume         404   404    403       403      403      409     403     403   409
POST release-cancel         404   404    403       403      403      302     403     403   302
POST release-share          404   404    403       403      403      302     403     403   302
POST release-address        404   404    403       403      403      409     403     403   409
GET  step-variables         404   404    200       200      200      200     200     200   200
POST step-start             404   404    403       403      403      302     403     403   302
POST step-approve           404   404    403       403      302      403     302     403   302
POST step-reject            404   404    403       403      302      403     302     403   302
POST step-withdraw          404   404    403       403      409      403     409     403   409
POST release-mark-image     404   404    403       403      403      302     302     403   302
POST release-lift-mark      404   404    403       403      403      403     409     403   409
POST step-break-glass       404   404    403       403      403      403     403     403   403
POST broken-glass-review    404   404    403       403      409      403     409     403   409
POST step-retry             404   404    403       403      403      409     403     403   409
POST step-skip              404   404    403       403      403      302     403     403   302
POST step-skip-bake         404   404    403       403      403      409     403     403   409
GET  run-log                404   404    200       200      200      200     200     200   200
GET  run-download           404   404    200       200      200      200     200     200   200
GET  rollback               404   404    200       200      200      200     200     200   200
POST rollback               404   404    403       403      403      302     302     403   302
GET  rehearsal              404   404    200       200      200      200     200     200   200
POST rehearsal              404   404    403       403      403      302     302     403   302
GET  rollback-result        404   404    200       200      200      200     200     200   200
POST rollback-reason        404   404    403       302      403      302     302     403   302
GET  list-events            200   200    200       200      200      200     200     200   200
GET  service-events         404   404    200       200      200      200     200     200   200
GET  run-events             404   404    200       200      200      200     200     200   200
"""
ROWS = [tuple(line.split()) for line in TABLE.strip().splitlines()[1:]]
COLUMNS = TABLE.split("\n", 2)[1].split()
ASKED_FOR = {(method, name) for method, name, *_ in ROWS}

# Its own views answer whoever is signed in, or has no good link, before they look at the method.
OF_DJANGO = {"login", "password-set"}
# The trail has of whoever refuses, and looks, at most this; a token keeps when it was used, and a key what it is for.
BY_THE_WAY = {"audit_auditevent", "releases_token", "releases_keptanswer"}
# What looking at it leaves behind: a file that was taken is an event.
LEAVES_AN_EVENT = {"report-file", "record-file"}


@pytest.fixture
def world(aws, scene, monkeypatch) -> World:
    # A stream that is asked for by a test gives back the connection in which all of it happens.
    monkeypatch.setattr(watching, "close_old_connections", lambda: None)
    return make_world(scene)


def test_every_address_has_a_row_and_every_row_an_address():
    assert {name for _, name in ASKED_FOR} == set(every_address())
    assert ROLES == COLUMNS


@pytest.mark.parametrize("role", ROLES)
def test_each_role_gets_what_the_table_says_and_what_is_refused_is_noted_and_does_nothing(world, role):
    asker, column = Asker.of(world.people[role]), ROLES.index(role)
    expected = {(method, name): int(row[column]) for method, name, *row in ROWS}
    answers = {
        (method, name): asker.ask(method, name, world.names(name), world.sent(name))
        for method, name in expected
    }
    assert {asked: answer.status for asked, answer in answers.items()} == expected
    refused = {asked: answer for asked, answer in answers.items() if answer.status in (403, 404)}
    assert {
        asked: len(answer.refusals) for asked, answer in answers.items() if answer.refusals
    } == dict.fromkeys(refused, 1)
    assert {
        (event.actor_id, event.subject["answer"]) for answer in refused.values() for event in answer.refusals
    } <= {(str(world.people[role].pk), 403), (str(world.people[role].pk), 404)}
    assert {
        asked: answer.written - BY_THE_WAY for asked, answer in refused.items() if answer.written - BY_THE_WAY
    } == {}


def test_another_method_is_refused_everywhere(world):
    asker = Asker.of(world.people["admin"])
    got = {
        (method, name): asker.ask(method, name, world.names(name), world.sent(name)).status
        for name in every_address()
        for method in ("GET", "POST", "DELETE")
        if (method, name) not in ASKED_FOR and name not in OF_DJANGO
    }
    assert {asked for asked, status in got.items() if status != 405} == set()


def test_looking_changes_nothing(world):
    """Also not for who may do everything, and by no method that only looks (FAULTS P16)."""
    grant_set_up(world.people["admin"])
    asker = Asker.of(world.people["admin"])
    for method in ("GET", "HEAD"):
        written = {name: asker.ask(method, name, world.names(name), {}).written for name in every_address()}
        left = {name: tables - {"releases_token"} for name, tables in written.items()}
        events = {name: {"audit_auditevent"} for name in LEAVES_AN_EVENT if method == "GET"}
        assert {name: tables for name, tables in left.items() if tables} == events


def test_what_belongs_to_one_service_is_not_found_below_another(world):
    """By page, stream and API, also for who may see both (FAULTS P17)."""
    asker = Asker.of(world.people["admin"])
    children = {name for name, named in every_address().items() if "name" in named} - {
        name for name, named in every_address().items() if set(named) <= {"name", "number", "form"}
    }
    answers = {
        (method, name): asker.ask(method, name, world.names(name) | {"name": "other"}, world.sent(name))
        for method, name in ASKED_FOR
        if name in children
    }
    assert len(answers) > 20
    assert {asked for asked, answer in answers.items() if answer.status != 404} == set()
    assert {asked for asked, answer in answers.items() if len(answer.refusals) != 1} == set()
    assert {asked for asked, answer in answers.items() if answer.written - BY_THE_WAY} == set()


def test_who_is_not_signed_in_is_led_to_the_sign_in_and_a_program_is_told_to_send_a_token(world):
    asker = Asker(user=None)
    got = {
        (method, name): asker.ask(method, name, world.names(name), world.sent(name)).status
        for name in every_address()
        for method in ("GET", "POST")
    }
    expected = {asked: 401 if asked[1].startswith(API) else 302 for asked in got}
    for_everybody = {
        **{("GET", "login"): 200, ("POST", "login"): 200, ("GET", "logout"): 302},
        **{("GET", "password-set"): 200, ("POST", "password-set"): 200},
    }
    assert got == expected | for_everybody


def test_who_signs_in_comes_back_to_where_they_wanted_to_go(client, scene):
    response = client.get("/services/catalog/")
    assert response.url == "/login/?next=/services/catalog/"


@pytest.mark.parametrize("rest", [f"runs/{NONE}/", f"steps/{NONE}/variables.tfvars", "releases/999{number}/"])
def test_what_is_nowhere_is_not_found_and_no_refusal(scene, as_user, rest):
    address = f"/services/catalog/{rest}".format(number=scene.release.number)
    assert as_user(scene.manager).get(address).status_code == 404
    assert not AuditEvent.objects.filter(action="access.refused").exists()


def test_a_record_has_no_other_form(scene, as_user):
    address = f"/services/catalog/releases/{scene.release.number}/record.exe"
    assert as_user(scene.manager).get(address).status_code == 404


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

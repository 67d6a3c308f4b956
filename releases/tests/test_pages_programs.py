"""Accounts of programs: made and ended by who manages the service, used by tokens, and no way around four eyes."""

import pytest

from audit.models import AuditEvent
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.models import Approval, Release, Service, ServiceAccount, Token
from releases.permissions import as_person, grant, is_service_account
from releases.services.access import rights
from releases.tests import factories
from releases.tests.api import call, problem, secret_of
from releases.tests.conftest import text_of
from releases.tests.test_pages_queries import queries_of

PAGE = "/services/catalog/programs/"
ACCOUNT = {"name": "ci", "roles": ["requester"]}
TOKEN = {"name": "pipeline", "days": "30"}


@pytest.fixture
def maker(service):
    """Who manages the service, and may do everything else, too."""
    return factories.person("maker", service, *Permission)


@pytest.fixture
def client(maker, as_user):
    return as_user(maker)


@pytest.fixture
def account(client) -> ServiceAccount:
    assert client.post(PAGE, ACCOUNT).status_code == 302
    return ServiceAccount.objects.get()


@pytest.fixture
def secret(aws, client, account) -> str:
    answer = client.post(f"{PAGE}{account.pk}/token/", TOKEN)
    assert answer.status_code == 201
    return answer.context["secret"]


def request_release(secret: str) -> Release:
    answer = call(
        secret, "POST", "/services/catalog/releases", {"tag": "green"}, **{"Idempotency-Key": "one"}
    )
    assert answer.status_code == 201, answer.content
    return Release.objects.get()


def approval_of(release: Release, secret: str):
    factories.put_in_place(release.service, release)
    step = factories.waiting_step(release.steps.get(transition="canary"))
    run = step.plan_run
    assert run is not None
    return call(
        secret,
        "POST",
        f"/services/catalog/releases/{release.number}/steps/{step.pk}/approve",
        {"plan_sha256": run.plan_sha256, "changes_digest": run.changes_digest},
    )


def test_an_account_may_what_it_was_given_on_its_service_and_has_no_password(account, service):
    assert as_person(account.user, service).permissions == {Permission.VIEW, Permission.REQUEST}
    assert is_service_account(account.user)
    assert not account.user.has_usable_password()
    event = AuditEvent.objects.get(action="account.made")
    assert (event.actor_name, event.subject["account"], event.after) == (
        *("maker", "ci"),
        {"roles": ["requester"]},
    )
    assert AuditEvent.objects.get(action="role.given").subject["person"] == "ci"


def test_an_account_without_a_choice_looks_and_one_with_all_does_not_approve(client, service):
    client.post(PAGE, {"name": "reader"})
    client.post(PAGE, {"name": "all", "roles": ["requester", "operator"]})
    reader, everything = [one.user for one in ServiceAccount.objects.order_by("made_at")]
    assert as_person(reader, service).permissions == {Permission.VIEW}
    assert as_person(everything, service).permissions == {
        *(Permission.VIEW, Permission.REQUEST, Permission.OPERATE, Permission.EMERGENCY)
    }


def test_what_an_account_may_stays_when_rights_are_brought_in_step_and_goes_with_its_role(
    account, service, as_user
):
    rights.bring_in_step(Service.objects.all())
    assert as_person(account.user, service).permissions == {Permission.VIEW, Permission.REQUEST}
    keeper = factories.UserFactory.create()
    factories.give(keeper, service, Role.MANAGER)
    people = as_user(keeper)
    assert "ci</strong> (a program)" in text_of(people.get("/services/catalog/people/"))
    people.post(f"/services/catalog/people/{account.user.role_grants.get().pk}/take/")
    assert as_person(account.user, service).permissions == set()


def test_an_account_is_given_no_role_by_which_it_could_approve(account, service, as_user):
    keeper = factories.UserFactory.create()
    factories.give(keeper, service, Role.MANAGER)
    sent = {"kind": "person", "name": "ci", "role": "approver", "where": "service"}
    answer = as_user(keeper).post("/services/catalog/people/", sent)
    assert answer.status_code == 403
    assert "it approves nothing" in text_of(answer)


def test_its_token_requests_in_its_own_name_on_its_own_service(secret, account, service):
    other = factories.ServiceFactory.create(name="other")
    grant(account.user, other, Permission.VIEW)
    release = request_release(secret)
    assert release.requested_by == account.user
    event = AuditEvent.objects.get(action="release.requested")
    assert (event.actor_name, event.via, event.context["token_name"]) == ("ci", "token", "pipeline")
    assert call(secret, "GET", "/services/other").status_code == 404


def test_who_made_the_account_or_a_token_of_it_does_not_approve_what_it_asks_for(
    secret, account, service, maker, as_user
):
    second = factories.person("second", service, *Permission)
    assert as_user(second).post(f"{PAGE}{account.pk}/token/", TOKEN).status_code == 201
    release = request_release(secret)
    for person in (maker, second):
        assert problem(approval_of(release, secret_of(person)), 403)["code"] == "approval:own-release"
    assert not Approval.objects.exists()
    somebody_else = factories.person("third", service, *Permission)
    assert approval_of(release, secret_of(somebody_else)).status_code == 200


def test_an_account_approves_nothing_whatever_it_was_given(scene, account, client):
    grant(account.user, scene.service, *Permission)
    run = scene.canary.plan_run
    answer = call(
        secret_of(account.user),
        "POST",
        f"/services/catalog/releases/{scene.release.number}/steps/{scene.canary.pk}/approve",
        {"plan_sha256": run.plan_sha256, "changes_digest": run.changes_digest},
    )
    assert problem(answer, 403)["code"] == "approval:service-account"
    assert not Approval.objects.exists()


def test_when_an_account_ends_so_do_its_tokens(secret, account, client):
    assert call(secret, "GET", "/services/catalog").status_code == 200
    client.post(f"{PAGE}{account.pk}/end/")
    problem(call(secret, "GET", "/services/catalog"), 401)
    assert "It has ended" in text_of(client.get(PAGE))
    assert AuditEvent.objects.filter(action="account.ended").count() == 1


def test_a_token_of_an_account_is_revoked_by_who_manages_the_service(secret, account, client):
    token = Token.objects.get()
    client.post(f"{PAGE}{account.pk}/tokens/{token.pk}/revoke/")
    problem(call(secret, "GET", "/services/catalog"), 401)
    assert AuditEvent.objects.get(action="token.revoked").actor_name == "maker"


def test_only_tokens_of_this_account_are_revoked_here_and_only_accounts_of_this_service(
    secret, account, client, maker
):
    foreign = secret_of(maker)
    token = Token.objects.get(user=maker)
    assert client.post(f"{PAGE}{account.pk}/tokens/{token.pk}/revoke/").status_code == 404
    grant(maker, factories.ServiceFactory.create(name="other"), *Permission)
    assert client.post(f"/services/other/programs/{account.pk}/end/").status_code == 404
    assert client.post(f"{PAGE}{maker.pk}/token/", TOKEN).status_code == 404
    assert [call(one, "GET", "/services").status_code for one in (secret, foreign)] == [200, 200]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"name": "with space"}, "name"), ({"name": "maker"}, "name"), ({"roles": ["approver"]}, "roles")],
)
def test_what_cannot_be_is_said_at_its_field(client, wrong, field):
    answer = client.post(PAGE, ACCOUNT | wrong)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not ServiceAccount.objects.exists()


def test_a_token_that_cannot_be_is_refused_and_its_form_says_why(client, account):
    answer = client.post(f"{PAGE}{account.pk}/token/", TOKEN | {"days": "366"})
    assert answer.status_code == 422
    assert "Write a whole number from 1 to 365" in text_of(answer)
    assert not Token.objects.exists()


def test_of_several_accounts_only_the_form_that_was_sent_says_why_it_was_refused(client, account):
    client.post(PAGE, ACCOUNT | {"name": "another"})
    page = text_of(client.post(f"{PAGE}{account.pk}/token/", TOKEN | {"name": ""}))
    assert page.count(f'id="id_name_{account.pk}_error"') == page.count("field-error") == 1


def test_without_an_account_the_page_says_so(client):
    assert "No program has an account here yet." in text_of(client.get(PAGE))


def test_ten_accounts_need_as_many_queries_as_one(client, service, maker, account):
    one = queries_of(client, PAGE)
    for _ in range(9):
        user = factories.UserFactory.create()
        ServiceAccount.objects.create(user=user, service=service, made_by=maker)
        secret_of(user)
    assert queries_of(client, PAGE) == one

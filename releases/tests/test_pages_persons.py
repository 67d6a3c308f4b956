"""The pages on which administrators look after people and groups."""

from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from audit.models import AuditEvent
from releases.domain.access.roles import Role
from releases.models import ServiceAccount, Token
from releases.services.access import tokens
from releases.services.access.roles import EVERYWHERE, record_given
from releases.tests import factories
from releases.tests.api import secret_of
from releases.tests.conftest import text_of
from releases.tests.test_pages_queries import queries_of

pytestmark = pytest.mark.django_db
MARKUP = '<script>alert("x")</script>'


@pytest.fixture
def ada() -> User:
    """The administrator who is signed in."""
    user = factories.UserFactory.create(username="ada")
    record_given(Role.ADMIN, user, EVERYWHERE, actor=factories.TESTS)
    return user


@pytest.fixture
def client(ada, as_user) -> Client:
    return as_user(ada)


@pytest.fixture
def rosa() -> User:
    return factories.UserFactory.create(username="rosa", email="rosa@example.com")


@pytest.fixture
def sres() -> Group:
    return Group.objects.create(name="SREs")


def test_somebody_is_added_sets_a_password_by_the_link_once_and_signs_in(client):
    answer = client.post("/people/", {"username": "ida", "email": "ida@example.com"})
    assert answer.status_code == 201
    assert "no-store" in answer["Cache-Control"]
    link = urlsplit(answer.context["link"]).path
    assert link in text_of(answer)
    assert link not in text_of(client.get(f"/people/{User.objects.get(username='ida').pk}/"))

    hers = Client()
    form = hers.get(link, follow=True)
    assert link not in form.request["PATH_INFO"]
    address, typed = form.request["PATH_INFO"], {"new_password1": "horse 7 battery"}
    assert hers.post(address, typed | {"new_password2": "horse 8 battery"}).status_code == 422
    assert "set: sign in with it" in text_of(
        hers.post(address, typed | {"new_password2": "horse 7 battery"}, follow=True)
    )
    assert hers.post("/login/", {"username": "ida", "password": "horse 7 battery"}).status_code == 302
    assert "does not count any more" in text_of(Client().get(link, follow=True))
    told = AuditEvent.objects.filter(action__startswith="person.").order_by("pk")
    assert list(told.values_list("actor_name", "action")) == [
        ("ada", "person.added"),
        ("ida", "person.password-set"),
        ("ida", "person.signed-in"),
    ]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [({"username": "ada"}, "username"), ({"username": "a b"}, "username"), ({"email": "nowhere"}, "email")],
)
def test_what_no_account_can_have_is_said_at_its_field_and_what_was_typed_is_kept(client, wrong, field):
    answer = client.post("/people/", {"username": "ida", "email": "ida@example.com"} | wrong)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert next(iter(wrong.values())) in text_of(answer)
    assert User.objects.count() == 1


def test_somebody_is_deactivated_and_let_in_again_with_a_new_password(client, rosa):
    page = f"/people/{rosa.pk}/"
    assert "nothing gets in as them" in text_of(client.post(f"{page}deactivate/", follow=True))
    assert "deactivated" in text_of(client.get("/people/"))
    assert client.post(f"{page}password/").context["link"] == ""
    client.post(f"{page}reactivate/")
    answer = client.post(f"{page}password/")
    assert answer.status_code == 201
    assert Client().get(urlsplit(answer.context["link"]).path, follow=True).context["validlink"]


def test_a_link_of_somebody_who_is_deactivated_since_does_not_count(client, rosa):
    link = urlsplit(client.post(f"/people/{rosa.pk}/password/").context["link"]).path
    client.post(f"/people/{rosa.pk}/deactivate/")
    assert not Client().get(link, follow=True).context["validlink"]


def test_the_last_administrator_is_told_why_the_button_does_nothing(client, ada):
    page = f"/people/{ada.pk}/"
    assert "make somebody else an administrator first" in text_of(client.get(page))
    assert "make somebody else an administrator first" in text_of(
        client.post(f"{page}deactivate/", follow=True)
    )
    ada.refresh_from_db()
    assert ada.is_active


def test_a_group_is_made_and_its_members_come_and_go(client, rosa):
    assert client.post("/groups/", {"name": "SREs"}).status_code == 302
    page = f"/groups/{Group.objects.get().pk}/"
    assert "rosa is in the group SREs now" in text_of(client.post(page, {"name": "rosa"}, follow=True))
    assert "in SREs" in text_of(client.get("/people/"))
    assert "1 person" in text_of(client.get("/groups/"))
    client.post(f"{page}members/{rosa.pk}/remove/")
    assert "Nobody is in it yet" in text_of(client.get(page))


def test_a_group_is_removed_by_its_page_when_nothing_holds_it_any_more_and_until_then_says_what_does(
    client, rosa, sres
):
    rosa.groups.add(sres)
    page = f"/groups/{sres.pk}/"
    for answer in (client.get(page), client.post(f"{page}remove/", follow=True)):
        assert "1 person is in it, take them out first" in text_of(answer)
    client.post(f"{page}members/{rosa.pk}/remove/")
    assert "The group SREs is removed." in text_of(client.post(f"{page}remove/", follow=True))
    assert client.get(page).status_code == 404


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nobody", "There is no active person of this user name."),
        ("off", "There is no active person of this user name."),
        ("", "This field is required."),
    ],
)
def test_who_cannot_be_put_into_a_group_is_said_in_words(client, sres, name, why):
    factories.UserFactory.create(username="off", is_active=False)
    answer = client.post(f"/groups/{sres.pk}/", {"name": name})
    assert answer.status_code == 422
    assert why in text_of(answer)
    assert not sres.user_set.exists()


def test_nobody_puts_themselves_into_a_group_and_the_trail_tells_of_the_try(client, sres):
    assert client.post(f"/groups/{sres.pk}/", {"name": "ada"}).status_code == 403
    assert not sres.user_set.exists()
    refusal = AuditEvent.objects.get(action="access.refused")
    assert (refusal.actor_name, refusal.reason[:34]) == ("ada", "Nobody gives a role to themselves,")


def test_the_last_administrator_is_not_taken_out_of_the_group_that_makes_them_one(client, ada, sres):
    ada.groups.add(sres)
    record_given(Role.ADMIN, sres, EVERYWHERE, actor=factories.TESTS)
    ada.role_grants.all().delete()
    answer = client.post(f"/groups/{sres.pk}/members/{ada.pk}/remove/", follow=True)
    assert "make somebody else an administrator first" in text_of(answer)
    assert sres.user_set.exists()


def test_only_administrators_of_everything_are_led_there(client, ada, rosa, as_user, service):
    factories.give(rosa, service, *Role)
    assert 'href="/people/"' in text_of(client.get("/"))
    other = as_user(rosa)
    assert 'href="/people/"' not in text_of(other.get("/"))
    assert other.get(f"/people/{ada.pk}/").status_code == 403
    assert AuditEvent.objects.filter(action="access.refused", actor_name="rosa").exists()


def test_roles_and_where_they_hold_are_shown_with_the_group_they_come_by(client, rosa, sres, service):
    rosa.groups.add(sres)
    factories.give(rosa, service, Role.VIEWER)
    factories.give(sres, service, Role.APPROVER)
    page = text_of(client.get(f"/people/{rosa.pk}/"))
    assert "viewer on catalog" in page
    assert "approver on catalog as one of SREs" in page


def test_a_program_is_not_among_the_people(client, ada, service):
    program = factories.UserFactory.create(username="ci")
    ServiceAccount.objects.create(user=program, service=service, made_by=ada)
    assert "ci" not in [person.username for person in client.get("/people/").context["page"]]
    assert client.post(f"/people/{program.pk}/deactivate/").status_code == 404


def test_other_people_s_and_programs_tokens_are_found_and_revoked_each_with_its_event(client, rosa, service):
    hers, other = secret_of(rosa), secret_of(factories.UserFactory.create(username="bob"))
    [row] = client.get("/people/tokens/?q=rosa").context["rows"]
    page = text_of(client.post(f"/people/tokens/{row.token.pk}/revoke/", follow=True))
    assert "of rosa is revoked" in page
    assert [tokens.find(secret) is None for secret in (hers, other)] == [True, False]
    event = AuditEvent.objects.get(action="token.revoked")
    assert (event.actor_name, event.subject["of"]) == ("ada", "rosa")
    assert "No token is called so" in text_of(client.get("/people/tokens/?q=zzz"))


def test_who_is_no_administrator_revokes_no_token_but_their_own(rosa, ada, service, as_user):
    secret = secret_of(ada)
    factories.give(rosa, service, Role.ADMIN)
    token = Token.objects.get()
    assert as_user(rosa).post(f"/people/tokens/{token.pk}/revoke/").status_code == 403
    assert tokens.find(secret) is not None


def test_fifty_tokens_need_as_many_queries_as_one(client, rosa):
    secret_of(rosa)
    one = queries_of(client, "/people/tokens/")
    for number in range(49):
        secret_of(factories.UserFactory.create(username=f"p{number}"))
    assert queries_of(client, "/people/tokens/") == one


def test_names_are_escaped_and_the_search_finds_by_name_and_address(client, rosa):
    group = Group.objects.create(name=MARKUP)
    rosa.groups.add(group)
    User.objects.filter(pk=rosa.pk).update(username=f"rosa{MARKUP}")
    for address in ("/people/", f"/people/{rosa.pk}/", "/groups/", f"/groups/{group.pk}/"):
        assert MARKUP not in client.get(address).content.decode()
    assert [found.pk for found in client.get("/people/?q=ROSA@example").context["page"]] == [rosa.pk]
    assert "Nobody has “zzz”" in text_of(client.get("/people/?q=zzz"))
    assert "No group has “zzz”" in text_of(client.get("/groups/?q=zzz"))


def test_a_thousand_people_are_shown_in_pages_with_as_many_queries_as_one(client, rosa, sres, service):
    factories.give(rosa, service, Role.VIEWER)
    rosa.groups.add(sres)
    addresses = ["/people/", f"/people/{rosa.pk}/", "/groups/", f"/groups/{sres.pk}/"]
    few = [queries_of(client, address) for address in addresses]
    many = User.objects.bulk_create(User(username=f"person{number:04}") for number in range(1000))
    sres.user_set.add(*many)
    for user in many[:20]:
        factories.give(user, service, Role.VIEWER)
        Group.objects.create(name=user.username).user_set.add(rosa, user)
    assert [queries_of(client, address) for address in addresses] == few
    assert max(few) <= 12
    assert "Page 2 of 21, 1002 people" in text_of(client.get("/people/?page=2"))
    assert len(client.get("/people/?page=21").context["page"]) == 2

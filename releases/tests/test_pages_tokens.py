"""The page on which people make and revoke tokens."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from releases.domain.access.decisions import Permission
from releases.models import Token
from releases.permissions import grant
from releases.services.access import tokens
from releases.tests import factories
from releases.tests.api import call, secret_of
from releases.tests.conftest import text_of
from releases.tests.test_pages_queries import queries_of

SENT = {"name": "pipeline", "days": "90", "permissions": ["request"]}


def test_the_secret_is_shown_once_and_gets_in(scene, as_user):
    client = as_user(scene.requester)
    answer = client.post("/tokens/", SENT)
    secret = answer.context["secret"]
    assert answer.status_code == 201
    assert secret in text_of(answer)
    assert "no-store" in answer["Cache-Control"]
    assert call(secret, "GET", "/services/catalog").status_code == 200
    page = text_of(client.get("/tokens/"))
    assert secret not in page
    assert secret[:8] in page
    assert "May look, request; on every service." in page


def test_a_token_is_kept_within_what_was_chosen(scene, as_user):
    as_user(scene.requester).post(
        "/tokens/", SENT | {"services": [str(scene.service.pk)], "environment": "production"}
    )
    token = Token.objects.get()
    assert (token.services, token.environment) == ([str(scene.service.pk)], "production")
    assert token.permissions == ["request", "view"]


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"days": "0"}, "days"),
        ({"days": "366"}, "days"),
        ({"days": "٣"}, "days"),
        ({"permissions": ["manage"]}, "permissions"),
        ({"environment": "staging"}, "environment"),
        ({"services": ["x"]}, "services"),
    ],
)
def test_what_cannot_be_is_said_at_its_field_and_what_was_typed_stays(scene, as_user, wrong, field):
    answer = as_user(scene.requester).post("/tokens/", SENT | wrong)
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Token.objects.exists()
    if field != "name":
        assert 'value="pipeline"' in text_of(answer)


def test_a_service_that_one_may_not_see_cannot_be_chosen_and_is_not_named(scene, as_user):
    hidden = factories.ServiceFactory.create(name="hidden-one", environment="secret-place")
    answer = as_user(scene.requester).post("/tokens/", SENT | {"services": [str(hidden.pk)]})
    assert answer.status_code == 422
    assert "hidden-one" not in text_of(answer)
    assert "secret-place" not in text_of(answer)


def test_too_many_are_refused_on_the_page(scene, as_user, monkeypatch):
    monkeypatch.setattr(tokens, "MOST_TOKENS", 0)
    answer = as_user(scene.requester).post("/tokens/", SENT)
    assert "revoke those that nothing uses" in text_of(answer)


def test_a_revoked_token_stays_in_the_list_for_a_while_and_cannot_be_revoked_again(scene, as_user):
    secret_of(scene.manager)
    token = Token.objects.get()
    client = as_user(scene.manager)
    answer = client.post(f"/tokens/{token.pk}/revoke/", follow=True)
    assert "nothing gets in with it any more" in text_of(answer)
    assert [(row.standing) for row in answer.context["rows"]] == ["revoked"]
    assert f"/tokens/{token.pk}/revoke/" not in text_of(answer)
    Token.objects.update(revoked_at=F("revoked_at") - timedelta(days=31))
    assert client.get("/tokens/").context["rows"] == []


def test_one_that_is_over_is_said_to_be(scene, as_user):
    secret_of(scene.manager)
    Token.objects.update(
        created_at=F("created_at") - timedelta(days=40), expires_at=timezone.now() - timedelta(days=1)
    )
    [row] = as_user(scene.manager).get("/tokens/").context["rows"]
    assert row.standing == "over"


def test_nobody_revokes_another_one_s_token(scene, as_user):
    secret = secret_of(scene.manager)
    assert as_user(scene.operator).post(f"/tokens/{Token.objects.get().pk}/revoke/").status_code == 404
    assert call(secret, "GET", "/services").status_code == 200


def test_twenty_tokens_need_as_many_queries_as_one(scene, as_user):
    client = as_user(scene.manager)
    secret_of(scene.manager, services=[scene.service])
    one = queries_of(client, "/tokens/")
    for _ in range(19):
        service = factories.ServiceFactory.create()
        grant(scene.manager, service, Permission.VIEW)
        secret_of(scene.manager, services=[service])
    assert queries_of(client, "/tokens/") == one

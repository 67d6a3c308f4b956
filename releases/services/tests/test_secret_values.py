"""Secret values: encrypted, bound to their place, and recognised when AWS shows them."""

import base64
from uuid import uuid4

import pytest

from releases.domain.versions.environment import secret, token_of
from releases.services.versions import secret_values
from releases.tests.factories import ReleaseFactory, ServiceFactory
from terraform_runner.encryption import make_key, parse_keys
from terraform_runner.errors import EncryptedDamaged, EncryptionKeyUnknown

ID = uuid4()


def environment(**values: object) -> dict[str, object]:
    return {"environment": values}


def test_what_is_stored_does_not_have_the_value_and_is_never_the_same_twice():
    stored = secret_values.encrypt(ID, "PASSWORD", "correct horse")
    token = token_of(stored)
    assert token
    assert b"correct horse" not in base64.urlsafe_b64decode(token)
    assert secret_values.encrypt(ID, "PASSWORD", "correct horse") != stored


def test_a_value_is_revealed_where_it_belongs_whatever_it_is():
    one = secret_values.encrypt(ID, "PASSWORD", "é\n$ {x}")
    other = secret_values.encrypt(ID, "KEY", "correct horse")
    revealed = secret_values.reveal(ID, environment(PASSWORD=one, LEVEL="info"), environment(KEY=other), {})
    assert revealed == {token_of(one): "é\n$ {x}", token_of(other): "correct horse"}


@pytest.mark.parametrize(
    "moved",
    [
        lambda stored: (uuid4(), "PASSWORD", stored),
        lambda stored: (ID, "OTHER", stored),
        lambda stored: (ID, "PASSWORD", secret("x" + (token_of(stored) or "")[1:])),
        lambda stored: (ID, "PASSWORD", secret("not base64!")),
        lambda stored: (ID, "PASSWORD", secret("é")),
        lambda stored: (ID, "PASSWORD", secret("")),
    ],
)
def test_a_token_that_was_moved_or_changed_reveals_nothing(moved):
    service_id, name, value = moved(secret_values.encrypt(ID, "PASSWORD", "correct horse"))
    with pytest.raises(EncryptedDamaged):
        secret_values.reveal(service_id, environment(**{name: value}))


def test_a_token_of_a_key_that_is_gone_is_said_as_such(settings):
    stored = secret_values.encrypt(ID, "PASSWORD", "correct horse")
    settings.KEY_RING = parse_keys(make_key("another"))
    with pytest.raises(EncryptionKeyUnknown):
        secret_values.reveal(ID, environment(PASSWORD=stored))


@pytest.fixture
def service(db):
    made = ServiceFactory.create(blue_configuration=environment(LEVEL="info", MODE="plain text"))
    made.green_configuration = environment(
        PASSWORD=secret_values.encrypt(made.pk, "PASSWORD", "correct horse")
    )
    made.save()
    return made


def test_known_values_are_recognised_as_they_are_stored(service):
    found = secret_values.recognise(service, {"LEVEL": "info", "PASSWORD": "correct horse"})
    assert found == {"LEVEL": "info", "PASSWORD": service.green_configuration["environment"]["PASSWORD"]}


def test_a_value_of_a_release_that_is_half_in_place_is_known(service):
    stored = secret_values.encrypt(service.pk, "PASSWORD", "battery staple")
    ReleaseFactory.create(service=service, configuration=environment(PASSWORD=stored))
    assert secret_values.recognise(service, {"PASSWORD": "battery staple"}) == {"PASSWORD": stored}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LEVEL", "debug"),
        ("PASSWORD", "staple"),
        ("NEW", "info"),
        ("PASSWORD", "info"),
        ("LEVEL", "plain text"),
    ],
)
def test_any_other_value_may_be_secret_and_is_kept_as_one(service, name, value):
    found = secret_values.recognise(service, {name: value})
    assert secret_values.reveal(service.pk, {"environment": found}) == {token_of(found[name]): value}

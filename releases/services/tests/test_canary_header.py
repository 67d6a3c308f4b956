from dataclasses import replace

import pytest

from releases.domain.canary import CanaryHeader, header_of
from releases.domain.errors import InvalidCanary
from releases.domain.provisioning.settings import Settings
from releases.services import canary_header
from releases.services.provisioning.settings_columns import recorded_settings
from releases.tests.factories import ServiceFactory
from terraform_runner.errors import EncryptedDamaged

SECRET = "abcdefgh_12345678"
NAMED = Settings(canary_header_name="X-Canary")


@pytest.fixture
def service(db):
    made = ServiceFactory.create(canary_header_name="X-Canary")
    made.canary_header_value = canary_header.encrypt(made.pk, SECRET)
    return made


def read(service) -> CanaryHeader | None:
    recorded = recorded_settings(service)
    return header_of(recorded, canary_header.reveal(service.pk, recorded))


def test_the_value_is_stored_encrypted_and_read_in_the_clear(service):
    assert read(service) == CanaryHeader(name="X-Canary", value=SECRET)
    assert SECRET not in service.canary_header_value
    assert service.canary_header_value not in repr(recorded_settings(service))


def test_a_service_without_a_header_has_none(db):
    assert read(ServiceFactory.create()) is None


def test_the_longest_value_has_room_in_its_column(service):
    service.canary_header_value = canary_header.encrypt(service.pk, "x" * 128)
    service.full_clean(exclude=["blue_configuration", "green_configuration"])
    service.save()
    service.refresh_from_db()
    assert read(service) == CanaryHeader(name="X-Canary", value="x" * 128)


def test_a_value_is_of_no_use_to_another_service(service):
    other = ServiceFactory.create(
        canary_header_name="X-Canary", canary_header_value=service.canary_header_value
    )
    with pytest.raises(EncryptedDamaged):
        read(other)


@pytest.mark.parametrize("damaged", ["", "x", "ä", "AAAA"])
def test_a_damaged_value_is_said_and_not_guessed(service, damaged):
    service.canary_header_value = damaged
    with pytest.raises(EncryptedDamaged):
        read(service)


def test_a_new_value_is_stored_encrypted(service):
    recorded = recorded_settings(service)
    settled = canary_header.settle(service.pk, NAMED, "another_12345678", present=[recorded])
    assert settled.canary_header_value != recorded.canary_header_value
    assert canary_header.reveal(service.pk, settled) == {settled.canary_header_value: "another_12345678"}


@pytest.mark.parametrize("typed", ["", SECRET])
def test_the_present_value_typed_again_or_not_at_all_stays_as_it_is_stored(service, typed):
    recorded = recorded_settings(service)
    assert canary_header.settle(service.pk, NAMED, typed, present=[recorded]) == recorded


def test_without_a_value_what_was_asked_for_last_goes_before_what_is_recorded(service):
    recorded = recorded_settings(service)
    begun = replace(recorded, canary_header_value=canary_header.encrypt(service.pk, "another_12345678"))
    assert canary_header.settle(service.pk, NAMED, "", present=[begun, recorded]) == begun
    assert canary_header.settle(service.pk, NAMED, SECRET, present=[begun, recorded]) == recorded


@pytest.mark.parametrize(
    ("name", "value", "code"),
    [
        ("X-Canary", "", "canary:header-value"),
        ("X-Canary", "short", "canary:header-value"),
        ("X-Canary", "x" * 129, "canary:header-value"),
        ("X-Canary", "sixteen letters*", "canary:header-value"),
        ("X-Canary", "sixteen${letters}", "canary:header-value"),
        ("", SECRET, "canary:header-name"),
        ("Host", SECRET, "canary:header-name"),
        ("X Canary", SECRET, "canary:header-name"),
    ],
)
def test_a_header_that_cannot_be_is_refused(service, name, value, code):
    with pytest.raises(InvalidCanary) as refused:
        canary_header.settle(service.pk, Settings(canary_header_name=name), value, present=[Settings()])
    assert refused.value.code == code


def test_no_header_is_none(service):
    assert canary_header.settle(service.pk, Settings(), "", present=[Settings()]) == Settings()

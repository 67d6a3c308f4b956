import pytest

from releases.domain.canary import CanaryHeader
from releases.services import canary_header
from releases.tests.factories import ServiceFactory
from terraform_runner.errors import EncryptedDamaged

SECRET = "abcdefgh_12345678"


@pytest.fixture
def service(db):
    made = ServiceFactory.create(canary_header_name="X-Canary")
    made.canary_header_value = canary_header.encrypt(made.pk, SECRET)
    return made


def test_the_value_is_stored_encrypted_and_read_in_the_clear(service):
    header = canary_header.header_of(service)
    assert header == CanaryHeader(name="X-Canary", value=SECRET)
    assert SECRET not in service.canary_header_value


def test_a_service_without_a_header_has_none(db):
    assert canary_header.header_of(ServiceFactory.create()) is None


def test_the_longest_value_has_room_in_its_column(service):
    service.canary_header_value = canary_header.encrypt(service.pk, "x" * 128)
    service.full_clean(exclude=["blue_configuration", "green_configuration"])
    service.save()
    service.refresh_from_db()
    assert canary_header.header_of(service) == CanaryHeader(name="X-Canary", value="x" * 128)


def test_a_value_is_of_no_use_to_another_service(service):
    other = ServiceFactory.create(
        canary_header_name="X-Canary", canary_header_value=service.canary_header_value
    )
    with pytest.raises(EncryptedDamaged):
        canary_header.header_of(other)


@pytest.mark.parametrize("damaged", ["", "x", "ä", "AAAA"])
def test_a_damaged_value_is_said_and_not_guessed(service, damaged):
    service.canary_header_value = damaged
    with pytest.raises(EncryptedDamaged):
        canary_header.header_of(service)

"""From what somebody asks for to what is stored."""

from uuid import uuid4

import pytest

from releases.domain.versions.configuration import InvalidConfiguration
from releases.domain.versions.environment import token_of
from releases.services.versions import secret_values
from releases.services.versions.configurations import WantedConfiguration, settle

ID = uuid4()
PRESENT = {
    "timeout": 60,
    "environment": {"LEVEL": "info", "PASSWORD": secret_values.encrypt(ID, "PASSWORD", "correct horse")},
}


def settled(**wanted) -> dict:
    return settle(ID, WantedConfiguration(**wanted), present=PRESENT)


def refused(**wanted) -> str:
    with pytest.raises(InvalidConfiguration) as refusal:
        settled(**wanted)
    assert refusal.value.field == "environment"
    return refusal.value.message


def test_what_is_asked_for_is_all_there_is():
    assert settled() == {}
    assert settled(settings={"memory_size": 256, "timeout": 30}) == {"memory_size": 256}


def test_a_secret_that_is_kept_keeps_its_token():
    assert settled(settings={"timeout": 60, "environment": {"LEVEL": "info"}}, kept={"PASSWORD"}) == PRESENT


def test_a_secret_that_is_written_again_as_it_was_is_no_change():
    wanted = {"settings": {"timeout": 60, "environment": {"LEVEL": "info"}}}
    assert settled(**wanted, secrets={"PASSWORD": "correct horse"}) == PRESENT
    changed = settled(**wanted, secrets={"PASSWORD": "battery staple"})
    assert changed != PRESENT
    assert list(secret_values.reveal(ID, changed).values()) == ["battery staple"]


def test_a_new_value_goes_before_the_kept_one():
    stored = settled(secrets={"PASSWORD": "battery staple"}, kept={"PASSWORD"})
    assert list(secret_values.reveal(ID, stored).values()) == ["battery staple"]


def test_a_plain_variable_becomes_secret():
    stored = settled(secrets={"LEVEL": "confidential"})
    assert token_of(stored["environment"]["LEVEL"])
    assert "confidential" not in str(stored)


def test_what_is_given_twice_or_is_not_there_is_refused_in_words():
    assert refused(settings={"environment": {"LEVEL": "x"}}, secrets={"LEVEL": "confidential"}) == (
        "LEVEL is there as a value and as a secret: take one of them out."
    )
    assert refused(settings={"environment": {"PASSWORD": "x"}}, kept={"PASSWORD"}).startswith(
        "PASSWORD is there"
    )
    assert refused(kept={"LEVEL"}).startswith("There is no secret LEVEL any more")
    assert refused(kept={"<script>" * 100}).startswith("There is no secret <script>")
    assert len(refused(kept={"x" * 10_000})) < 150


def test_secrets_have_lambda_s_rules_too():
    assert "less than 8 characters" in refused(secrets={"PIN": "1234"})
    assert "is set by Lambda itself" in refused(secrets={"AWS_SECRET_ACCESS_KEY": "correct horse"})
    assert "all variables" in refused(secrets={"BIG": "x" * 4096}).lower()


def test_a_wanted_configuration_does_not_print_its_secrets():
    assert "confidential" not in repr(WantedConfiguration(secrets={"LEVEL": "confidential"}))

"""The configuration on the request's page."""

import pytest
from django.test import Client

from releases.models import Release, Service
from releases.services.versions import secret_values
from releases.tests import factories
from releases.tests.conftest import text_of
from releases.tests.test_pages_request import ADDRESS, GOOD

SECRET = "correct horse battery"


@pytest.fixture
def configured(service) -> Service:
    """The users' colour has a configuration with a secret."""
    service.blue_configuration = {
        "memory_size": 512,
        "environment": {
            "LEVEL": "info",
            "PASSWORD": secret_values.encrypt(service.pk, "PASSWORD", SECRET),
        },
        "image_config": {"command": ["serve", "--port=80"]},
    }
    service.save()
    return service


@pytest.fixture
def browser(configured, aws, as_user) -> Client:
    return as_user(factories.requester(configured))


def sent(browser, **changed):
    return browser.post(ADDRESS, {**GOOD, "tag": "blue", **changed})


def test_the_page_begins_with_what_the_users_have_and_has_no_secret(browser):
    response = browser.get(ADDRESS)
    page = response.content.decode()
    assert 'name="memory_size" value="512"' in page
    assert "LEVEL=info" in page
    assert "--port=80" in page
    assert 'name="secret_PASSWORD"' in page
    assert "kept; write a new value to change it" in page
    assert SECRET not in page
    assert "encrypted&quot;" not in page
    assert 'id="configuration" >' in " ".join(page.split())


def test_a_request_that_says_nothing_of_it_keeps_the_configuration(browser, configured):
    browser.post(ADDRESS, GOOD)
    assert Release.objects.get().configuration == configured.blue_configuration


def test_the_same_image_with_one_variable_changed_is_a_release(browser, configured):
    sent(browser, environment="LEVEL=debug\r\nMODE=a=b")
    release = Release.objects.get()
    password = configured.blue_configuration["environment"]["PASSWORD"]
    assert release.configuration["environment"] == {"LEVEL": "debug", "MODE": "a=b", "PASSWORD": password}
    assert release.from_configuration == configured.blue_configuration


def test_the_same_image_and_configuration_are_refused(browser):
    response = sent(browser)
    assert response.status_code == 422
    assert "All users of catalog have this version already." in text_of(response)


def test_everything_can_be_changed(browser):
    sent(
        browser,
        memory_size="1024",
        timeout="60",
        ephemeral_storage="600",
        architectures="arm64",
        tracing_mode="Active",
        subnet_ids="subnet-0a1b2c3d, subnet-0a1b2c3e",
        security_group_ids="sg-0a1b2c3d",
        command="",
        entry_point="/bin/app\r\n--flag",
        working_directory="/srv",
        reserved_concurrency="5",
        environment="",
        forget="PASSWORD",
    )
    assert Release.objects.get().configuration == {
        "memory_size": 1024,
        "timeout": 60,
        "ephemeral_storage": 600,
        "architectures": ["arm64"],
        "tracing_mode": "Active",
        "subnet_ids": ["subnet-0a1b2c3d", "subnet-0a1b2c3e"],
        "security_group_ids": ["sg-0a1b2c3d"],
        "image_config": {"entry_point": ["/bin/app", "--flag"], "working_directory": "/srv"},
        "reserved_concurrency": 5,
    }


def secrets_of(service: Service) -> dict[str, str]:
    stored = Release.objects.get().configuration
    revealed = secret_values.reveal(service.pk, stored)
    return {
        name: revealed[value["encrypted"]]
        for name, value in stored["environment"].items()
        if isinstance(value, dict)
    }


@pytest.mark.parametrize(
    ("changed", "secrets"),
    [
        ({"secret_PASSWORD": "staple staple"}, {"PASSWORD": "staple staple"}),
        ({"secrets": "KEY=staple staple"}, {"PASSWORD": SECRET, "KEY": "staple staple"}),
        ({"secrets": "KEY=staple staple", "forget": "PASSWORD"}, {"KEY": "staple staple"}),
        ({"secret_PASSWORD": "staple staple", "forget": "PASSWORD"}, {"PASSWORD": "staple staple"}),
        ({"secrets": "LEVEL=confidential", "environment": ""}, {"PASSWORD": SECRET, "LEVEL": "confidential"}),
    ],
)
def test_secrets_are_written_anew_added_and_taken_away(browser, configured, changed, secrets):
    sent(browser, **changed)
    assert secrets_of(configured) == secrets


@pytest.mark.parametrize(
    ("changed", "field", "said"),
    [
        ({"memory_size": "64"}, "memory_size", "from 128 to 10240 (MB)"),
        ({"memory_size": ""}, "memory_size", "Write a whole number in digits."),
        ({"memory_size": "٣١٢"}, "memory_size", "Write a whole number in digits."),
        ({"timeout": "1e2"}, "timeout", "Write a whole number in digits."),
        ({"timeout": "901"}, "timeout", "from 1 to 900 (seconds)"),
        ({"timeout": "9" * 5000}, "timeout", "at most 2000 characters"),
        ({"ephemeral_storage": "-1"}, "ephemeral_storage", "Write a whole number in digits."),
        ({"reserved_concurrency": "0"}, "reserved_concurrency", "from 1 to 100000"),
        ({"architectures": "${var.x}"}, "architectures", "Select a valid choice"),
        ({"tracing_mode": "active"}, "tracing_mode", "Select a valid choice"),
        ({"environment": "LEVEL"}, "environment", "Line 1 is not written as NAME=value."),
        ({"environment": "AWS_REGION=x"}, "environment", "is set by Lambda itself"),
        ({"environment": "${x}=y"}, "environment", "is no name of a variable"),
        ({"environment": "PASSWORD=x"}, "environment", "there as a value and as a secret"),
        ({"environment": f"BIG={'x' * 5000}"}, "environment", "Lambda takes 4096"),
        ({"secrets": "PIN=1234"}, "environment", "less than 8 characters"),
        ({"secrets": "nothing"}, "secrets", "Line 1 is not written as NAME=value."),
        ({"subnet_ids": "subnet-1"}, "subnet_ids", "is no id"),
        ({"subnet_ids": "subnet-0a1b2c3d"}, "security_group_ids", "both subnets and security groups"),
        ({"working_directory": "srv"}, "working_directory", "a folder of the image from its root"),
        ({"command": "x\x1b"}, "command", "control character"),
        ({"entry_point": "x" * 1001}, "entry_point", "at most 100 arguments"),
    ],
)
def test_an_error_is_said_at_its_field_and_nothing_is_requested(browser, changed, field, said):
    response = sent(browser, **changed)
    form = response.context["configuration"]
    assert response.status_code == 422
    assert any(said in error for error in form.errors[field]), form.errors
    assert said in text_of(response)
    assert 'id="configuration" open>' in " ".join(response.content.decode().split())
    assert not Release.objects.exists()


def test_after_an_error_everything_typed_stays_but_the_secrets(browser):
    response = sent(
        browser,
        weights="x",
        memory_size="640",
        environment="LEVEL=trace",
        secrets="KEY=staple staple",
        secret_PASSWORD="hunter2hunter2",
    )
    page = response.content.decode()
    assert 'value="640"' in page
    assert "LEVEL=trace" in page
    assert "staple staple" not in page
    assert "hunter2hunter2" not in page


def test_hostile_text_stays_text_on_the_page(browser):
    hostile = "<script>alert(1)</script>"
    page = sent(browser, environment=f"LEVEL={hostile}\n=", working_directory=f'"{hostile}').content.decode()
    assert hostile not in page
    assert "&lt;script&gt;" in page

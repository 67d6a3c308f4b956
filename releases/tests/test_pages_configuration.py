"""A configuration on the pages: of a release, of a service, and in a plan."""

import pytest

from releases.domain.lifecycle import StepStatus
from releases.models import Release, Service
from releases.services import states
from releases.services.versions import secret_values
from releases.tests import factories
from releases.tests.conftest import text_of
from releases.views.shown.plan_environment import by_name

SECRET = "correct horse battery"


def change(path: str, before: object, after: object) -> dict[str, object]:
    return {"path": path, "before": before, "after": after, "unknown": False, "sensitive": False}


@pytest.fixture
def release(service) -> Release:
    """Of another configuration, with its first plan made."""
    made = factories.release_with_steps(service, factories.requester(service))
    made.from_configuration = {"memory_size": 256}
    made.configuration = {
        "memory_size": 512,
        "environment": {
            "LEVEL": "<script>alert(1)</script>",
            "PASSWORD": secret_values.encrypt(service.pk, "PASSWORD", SECRET),
        },
    }
    made.save()
    return made


def page_of(client, release: Release, query: str = "") -> str:
    return client.get(f"/services/{release.service.name}/releases/{release.number}/{query}").content.decode()


def test_a_release_says_what_it_changes_and_no_secret(release, aws, as_user):
    page = page_of(as_user(factories.manager(release.service)), release)
    assert "memory: <code>256 MB</code> → <code>512 MB</code>" in page
    assert "environment PASSWORD: <code>none</code> → <code>secret</code>" in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert(1)" not in page
    assert SECRET not in page
    assert release.configuration["environment"]["PASSWORD"]["encrypted"] not in page


def test_a_release_of_the_same_configuration_says_nothing_of_it(service, aws, as_user):
    release = factories.release_with_steps(service, factories.requester(service))
    assert "configuration-changes" not in page_of(as_user(factories.manager(service)), release)


def test_each_colour_s_configuration_is_on_the_service_s_page(service: Service, aws, as_user):
    token = secret_values.encrypt(service.pk, "PASSWORD", SECRET)
    service.green_configuration = {"timeout": 77, "environment": {"LEVEL": "debug", "PASSWORD": token}}
    service.save()
    response = as_user(factories.manager(service)).get(f"/services/{service.name}/")
    page = text_of(response)
    assert 'id="settings-blue"' in response.content.decode()
    assert "77 seconds" in page
    assert "30 seconds" in page
    assert "environment LEVEL" in page
    assert SECRET not in page
    assert token["encrypted"] not in page


def planned(release: Release) -> None:
    """The rotation's plan is there, with the change that Terraform shows."""
    step = factories.waiting_step(release.steps.order_by("position")[0])
    after = step.service.state.with_version(
        step.service.state.candidate,
        step.service.state.version_of(step.service.state.candidate),
    )
    document = states.to_json(after)
    document["green"]["configuration"] = release.configuration
    step.state_after = document
    step.save()
    assert step.plan_run is not None
    step.plan_run.changes = [
        {
            "address": "module.service.aws_lambda_function.green",
            "type": "aws_lambda_function",
            "name": "green",
            "actions": ["update"],
            "action_reason": None,
            "attributes": [
                change(
                    "environment",
                    [],
                    [{"variables": {"LEVEL": "debug", "PASSWORD": "(sensitive value 1)"}}],
                ),
                change("memory_size", 256, 512),
            ],
        }
    ]
    step.plan_run.save()
    assert step.status == StepStatus.WAITING.value


def test_a_plan_tells_the_variables_by_name(release, aws, as_user):
    planned(release)
    page = page_of(as_user(factories.manager(release.service)), release)
    assert "<code>environment LEVEL</code>" in page
    assert "<code>environment PASSWORD</code>" in page
    assert "(sensitive value 1)" in page
    assert "{&#x27;variables&#x27;" not in page


def test_the_variables_have_the_configurations_with_their_secrets_masked(release, aws, as_user):
    planned(release)
    client = as_user(factories.manager(release.service))
    page = page_of(client, release, "?tab=variables")
    step = release.steps.order_by("position")[0]
    download = client.get(f"/services/{release.service.name}/steps/{step.pk}/variables.tfvars")
    for shown in (page, download.content.decode()):
        assert "green_config" in shown
        assert "(secret)" in shown
        assert "encrypted" not in shown


@pytest.mark.parametrize(
    ("attribute", "rows"),
    [
        (
            change("environment[0].variables.LEVEL", "info", "debug"),
            [("environment LEVEL", "info", "debug")],
        ),
        (
            change("environment", [{"variables": {"A1": "x", "B1": "y"}}], [{"variables": {"B1": "z"}}]),
            [("environment A1", "x", None), ("environment B1", "y", "z")],
        ),
        (change("environment", [{"variables": {"A1": "x"}}], []), [("environment A1", "x", None)]),
        (change("environment[0].variables", None, {"A1": "x"}), [("environment A1", None, "x")]),
        (change("timeout", 1, 2), [("timeout", 1, 2)]),
    ],
)
def test_variables_are_rows_of_their_own(attribute, rows):
    found = by_name("aws_lambda_function", attribute)
    assert [(row["path"], row["before"], row["after"]) for row in found] == rows


def test_what_is_called_environment_elsewhere_stays_as_it_is():
    attribute = change("environment", ["x"], ["y"])
    assert by_name("aws_x", attribute) == [attribute]

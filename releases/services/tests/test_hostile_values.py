"""Whatever people write is refused in words, or is text in the variables, and never a part of the root module."""

import json
from typing import Any

import pytest

from aws.credentials import Credentials
from aws.errors import AwsError
from releases.domain.errors import DomainError, InvalidTraffic
from releases.domain.traffic import Version
from releases.models import Release
from releases.services.execution import storage
from releases.services.execution.workspaces import workspace
from releases.services.requests import RequestRefused
from releases.services.tests.world import REPOSITORY
from releases.services.versions.configurations import WantedConfiguration
from terraform_runner.executor import Workspace

TEMPLATE = '${file("/etc/passwd")}'
HOSTILE = [
    TEMPLATE,
    "%{ if true }x%{ endif }",
    '"}\nresource "null_resource" "x" {}\n',
    "$(id); rm -rf /",
    "<script>alert(1)</script>",
    "javascript:alert(1)",
    "=cmd|' /C calc'!A0",
    "\u202egnp.exe\u200b",
    "\u0440\u0430yments",
    "🙂",
    "a\x00b",
    "a\x1b[31mb\r",
    "x" * 10_000,
    "",
]
CREDENTIALS = Credentials(access_key_id="AKIDEXAMPLE", secret_access_key="s" * 40, session_token="")


def workspace_of(life, version: Version) -> Workspace:
    state = life.service.state
    return workspace(
        life.service,
        state.with_version(state.candidate, version),
        credentials=CREDENTIALS,
        kept_in=storage.state(life.service.pk, run_id=life.service.pk),
    )


def wanted(field: str, text: str) -> WantedConfiguration:
    """A configuration with this text in one place."""
    places: dict[str, dict[str, object]] = {
        "value": {"environment": {"TEXT": text}},
        "name": {"environment": {text: "x"}},
        "command": {"image_config": {"command": [text]}},
        "entry point": {"image_config": {"entry_point": [text]}},
        "directory": {"image_config": {"working_directory": f"/{text}"}},
        "subnet": {"subnet_ids": [text], "security_group_ids": ["sg-0a1b2c3d"]},
        "security group": {"subnet_ids": ["subnet-0a1b2c3d"], "security_group_ids": [text]},
        "architecture": {"architectures": [text]},
        "tracing": {"tracing_mode": text},
        "memory": {"memory_size": text},
        "setting": {text: "x"},
    }
    if field == "secret":
        return WantedConfiguration(secrets={"PASSWORD": text})
    if field == "kept":
        return WantedConfiguration(kept=frozenset({text}))
    settings: dict[str, Any] = {"timeout": 60, **places[field]}
    return WantedConfiguration(settings=settings)


def refusal(life, field: str, text: str) -> str:
    """Request it; why it was refused, or nothing."""
    try:
        life.request("v2", configuration=wanted(field, text))
    except DomainError as error:
        return error.message
    return ""


FREE = ("value", "secret", "command", "entry point", "directory")
"""The fields that take any printable text."""


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize(
    "field",
    [*FREE, "name", "subnet", "security group", "architecture", "tracing", "memory", "setting", "kept"],
)
def test_a_configuration_is_refused_in_words_or_text_in_the_variables(life, field, text):
    harmless = workspace_of(life, life.service.state.blue)
    refused = refusal(life, field, text)
    if refused:
        assert not Release.objects.exists()
        assert len(refused) < 400
        return
    release = Release.objects.get()
    assert field in FREE
    made = workspace_of(life, Version(image=release.image, configuration=release.configuration))
    assert made.root == harmless.root
    assert json.loads(json.dumps(made.variables)) == made.variables
    assert text in json.dumps(made.variables["green_config"], ensure_ascii=False).replace('\\"', '"').replace(
        "\\n", "\n"
    )


@pytest.mark.parametrize("field", FREE)
def test_templates_are_taken_as_the_text_that_they_are(life, field):
    assert life.request("v2", configuration=wanted(field, TEMPLATE)).configuration != {}


@pytest.mark.parametrize(
    "tag",
    [*HOSTILE, "v2\n", " v2", "v2@sha256:" + "0" * 64, "../other:v2", "-v2", "x" * 129, "v2:latest"],
)
def test_a_tag_that_is_none_is_refused_before_anybody_is_asked_for_it(life, tag, monkeypatch):
    monkeypatch.setattr("aws.images.resolve_image", lambda *_: pytest.fail("ECR was asked"))
    with pytest.raises(RequestRefused) as refused:
        life.request(tag)
    assert refused.value.code == "request:tag"


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_an_image_is_named_by_a_whole_digest_and_nothing_else(text):
    for image in (
        text,
        f"{REPOSITORY}@sha256:{text}",
        f"{REPOSITORY}@sha256:{'0' * 63}",
        f"{REPOSITORY}@sha256:{'0' * 64}{text or 'x'}",
        f"{REPOSITORY}@sha256:{'0' * 64}\n",
    ):
        with pytest.raises(InvalidTraffic):
            Version(image=image)


@pytest.mark.parametrize("text", [text for text in HOSTILE if "\x00" not in text])
def test_a_reason_is_kept_and_goes_nowhere_near_terraform(life, text):
    release = life.request("v2", reason=text)
    made = workspace_of(life, Version(image=release.image))
    assert release.reason == text
    if text:
        assert json.dumps(text)[1:-1] not in json.dumps([made.root, made.variables])


def test_an_image_that_aws_does_not_have_is_its_answer(life, monkeypatch):
    def missing(*_: object) -> None:
        raise AwsError("aws:image-missing", "There is no such image.")

    monkeypatch.setattr("aws.images.resolve_image", missing)
    with pytest.raises(AwsError, match="no such image"):
        life.request("v2")

"""The pipeline in the docs does what they say, with the real curl against the real server."""

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from infra.local.paths import ROOT
from infra.local.tests.waiting import wait_for
from releases.domain.lifecycle import ReleaseStatus, StepStatus
from releases.models import Release, Step
from releases.services.lifecycle import SYSTEM, change_release, change_step
from releases.tests import factories
from releases.tests.api import secret_of
from tests.serving import serving

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("aws")]
PATIENCE = 90


@pytest.fixture
def pipeline(service) -> Iterator[subprocess.Popen[str]]:
    [script] = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "api.md").read_text(), re.DOTALL)
    with serving() as address:
        given = {
            "PATH": os.environ["PATH"],
            "BLUEGREEN_URL": address,
            "BLUEGREEN_TOKEN": secret_of(factories.requester(service)),
            "SERVICE": "catalog",
            "TAG": "green",
            "DIGEST": factories.image_of("green").partition("@")[2],
            "JOB_ID": "7",
        }
        process = subprocess.Popen(
            ["/bin/sh", "-c", script],
            env=given,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with process:
            try:
                yield process
            finally:
                process.kill()


def ended(process: subprocess.Popen[str], end: ReleaseStatus) -> tuple[int, str]:
    """The release ends so while the pipeline waits: its exit code, and what it has said."""
    wait_for(Release.objects.exists, "the request")
    change_release(Release.objects.get(), end, actor=SYSTEM, action="release.promoted")
    return outcome(process)


def outcome(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Its exit code, and what it has said."""
    said, complained = process.communicate(timeout=PATIENCE)
    assert complained == ""
    return process.returncode, said


def test_it_waits_until_everyone_has_the_new_version(pipeline):
    code, said = ended(pipeline, ReleaseStatus.PROMOTED)
    number = Release.objects.get().number
    assert code == 0
    assert said.splitlines()[0] == f"requested R-{number}"
    assert said.splitlines()[-1] == f"R-{number}: promoted"
    assert Release.objects.get().reason == "job 7"


@pytest.mark.parametrize(
    "end", [ReleaseStatus.ROLLED_BACK, ReleaseStatus.REJECTED, ReleaseStatus.CANCELLED], ids=str
)
def test_it_fails_when_the_release_does(pipeline, end):
    assert ended(pipeline, end)[0] == 1


@pytest.mark.parametrize(
    ("end", "state"), [(StepStatus.FAILED, "failed"), (StepStatus.REJECTED, "step_rejected")], ids=str
)
def test_it_fails_when_a_step_needs_somebody_and_says_so(pipeline, end, state):
    planning = Step.objects.filter(status=StepStatus.PLANNING.value)
    wait_for(planning.exists, "the plan of the first step")
    change_step(planning.get(), end, actor=SYSTEM, action=f"step.{end.value}")
    code, said = outcome(pipeline)
    assert code == 1
    assert said.splitlines()[-1] == f"R-{Release.objects.get().number}: {state}"


def test_it_fails_when_its_token_is_taken_away(pipeline, service):
    wait_for(Release.objects.exists, "the request")
    type(Release.objects.get().requested_by).objects.update(is_active=False)
    change_release(Release.objects.get(), ReleaseStatus.PAUSED, actor=SYSTEM, action="release.paused")
    complained = pipeline.communicate(timeout=PATIENCE)[1]
    assert pipeline.returncode != 0
    assert "401" in complained

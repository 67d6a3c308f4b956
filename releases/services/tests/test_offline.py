"""The file for the day without a database is never behind an apply that changes a function."""

import json

import pytest

from releases.domain.lifecycle import StepStatus
from releases.services.rollback import offline


@pytest.fixture
def promoted(life, settings, tmp_path):
    """Everybody is on the first release's version; the next one rotates by copy."""
    settings.DATA_DIR = tmp_path
    life.request()
    life.go_to(100)
    life.request("v3")
    return life


def safe_color_in_the_file(settings) -> str:
    content = (settings.DATA_DIR / "emergency" / "services.json").read_text()
    return str(json.loads(content)["shop"]["traffic"]["safe_color"])


def test_while_the_stable_function_is_changed_it_leads_to_the_promoted_one(promoted, settings):
    offline.write()
    assert safe_color_in_the_file(settings) == "blue"
    seen: list[str] = []
    promoted.world.during_apply = lambda: seen.append(safe_color_in_the_file(settings))
    promoted.start()
    assert seen[0] == "green"


def test_an_apply_that_changes_a_function_waits_for_it_to_be_written(promoted, monkeypatch):
    def full() -> bool:
        raise OSError("No space left on device")

    monkeypatch.setattr(offline, "write", full)
    applied = len(promoted.world.applied)
    promoted.start()
    step = promoted.step()
    assert (step.status, step.problem_code) == (StepStatus.FAILED, "step:offline-file")
    assert "No space left on device" in step.problem
    assert len(promoted.world.applied) == applied

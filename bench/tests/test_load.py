from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest

from bench import load
from bench.demo import Demo
from bench.errors import CannotMeasure
from bench.figures import Figure
from bench.load import Life
from bench.steps import Steps
from bench.tests.conftest import Worker
from releases import selectors
from releases.domain.lifecycle import ReleaseStatus
from releases.models import EmergencyRollback, Release
from releases.services.requests import ReleaseRequest
from tests.scenes import IMAGES


class Loaded:
    """A load that was on already: how many of its answers were wrong, and which versions were meant to answer."""

    def __init__(self, *, wrong: int = 0, **_) -> None:
        self.answers = list(range(500))
        self.wrong = wrong
        self.meant: list[tuple[set[str], set[str]]] = []

    def __enter__(self) -> "Loaded":
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def phase(self, *, everyone: set[str], you: set[str]) -> None:
        self.meant.append((everyone, you))

    def wrong_answers(self) -> list[str]:
        return ["failed"] * self.wrong


@pytest.fixture
def loads(monkeypatch) -> list[Loaded]:
    """The loads that were put on, the first of them with so many wrong answers as it says."""
    made: list[Loaded] = []

    def put_on(**given) -> Loaded:
        made.append(Loaded(**given))
        return made[-1]

    monkeypatch.setattr(load, "Load", put_on)
    return made


@pytest.fixture
def here(demo, worker: Worker, balancer):
    """The demo's machine, on which everything is done at once."""
    worker.bakes, worker.balancer = False, balancer
    return replace(demo, sandbox=SimpleNamespace(images=IMAGES))


@pytest.mark.django_db(transaction=True)
def test_a_life_has_a_release_taken_back_one_promoted_and_one_that_rotates_after_that(here, loads):
    Life(here).live()
    statuses = [ReleaseStatus(release.status) for release in Release.objects.order_by("number")]
    assert statuses == [ReleaseStatus.ROLLED_BACK, ReleaseStatus.PROMOTED, ReleaseStatus.OPEN]
    assert EmergencyRollback.objects.count() == 1
    step = selectors.current_step(here.service)
    assert step is not None
    assert step.transition == "canary"


@pytest.mark.django_db(transaction=True)
def test_at_each_moment_it_is_said_who_is_meant_to_meet_what(here, loads):
    Life(here).live()
    tags = {image.partition("@")[2]: tag for tag, image in IMAGES.items()}
    meant = [tuple(sorted(tags[one] for one in client) for client in phase) for phase in loads[0].meant]
    assert meant[0] == (["blue"], ["blue"])
    assert (["blue"], ["green"]) in meant  # the canary
    assert meant[-1] == (["green"], ["green"])
    assert not any("yellow" in client for phase in meant for client in phase)


@pytest.mark.django_db(transaction=True)
def test_a_release_that_another_figure_has_left_open_is_taken_back_first(here, loads, worker):
    Steps(here).request(ReleaseRequest(tag="green", weights=[50]))
    Life(here)
    assert Release.objects.get().status == ReleaseStatus.ROLLED_BACK


def measure() -> Figure:
    return load.measure(cast(Demo, None))


def test_the_figure_is_the_number_of_wrong_answers_beside_those_of_one_apply(monkeypatch):
    monkeypatch.setattr(load, "Life", lambda _: SimpleNamespace(live=lambda: Loaded(wrong=0)))
    monkeypatch.setattr(load, "OneApply", lambda _: SimpleNamespace(rotate=lambda: Loaded(wrong=70)))
    figure = measure()
    assert (figure.value, figure.baseline, figure.samples, figure.meets_goal) == (0, 70, 500, True)


def test_a_load_that_does_not_see_the_plain_way_go_wrong_gives_no_figure(monkeypatch):
    monkeypatch.setattr(load, "Life", lambda _: SimpleNamespace(live=lambda: Loaded(wrong=0)))
    monkeypatch.setattr(load, "OneApply", lambda _: SimpleNamespace(rotate=lambda: Loaded(wrong=0)))
    with pytest.raises(CannotMeasure, match="not seen to go wrong"):
        measure()

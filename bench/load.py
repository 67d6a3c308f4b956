"""Requests that fail, or reach a version that they should not, under constant load.

Through a whole life cycle with a rollback in Bluegreen; and in a rotation by one apply, as people did it before, which
has to be seen to go wrong: else the load would not have noticed.
"""

from pathlib import Path
from typing import Any

from bench.by_hand import ByHand
from bench.demo import Demo
from bench.errors import CannotMeasure
from bench.figures import Figure, Goal
from bench.steps import Steps
from infra.modules.unordered import write_unordered_module
from releases.domain.traffic import Color
from releases.models import Service
from releases.services.requests import ReleaseRequest
from tests.load import Load
from tests.readings import Target

OLD, NEW, NEXT = "blue", "green", "yellow"
HOST_BY_HAND = "one-apply.example.com"


def measure(demo: Demo) -> Figure:
    """How many of all requests were wrong; the plain way's are those of one apply."""
    load = Life(demo).live()
    wrong = load.wrong_answers()
    print(f"{len(load.answers)} requests, {len(wrong)} of them wrong", *wrong[:10], sep="\n")
    in_one_apply = len(OneApply(demo).rotate().wrong_answers())
    if not in_one_apply:
        raise CannotMeasure("A rotation in one apply was not seen to go wrong, so this load shows nothing.")
    return Figure(
        name="load",
        value=len(wrong),
        unit="requests",
        samples=len(load.answers),
        goal=Goal(on="value", at_most=0),
        baseline=in_one_apply,
    )


class Life:
    """Three releases of the demo's service: one taken back, one promoted, and one that rotates after that."""

    def __init__(self, demo: Demo) -> None:
        self._demo, self._steps = demo, Steps(demo)
        self._steps.take_back()
        service = Service.objects.get(pk=demo.service.pk)
        self._load = Load(sandbox=demo.sandbox, target=_target_of(service))

    def live(self) -> Load:
        """From one version for all to the next but one in place."""
        self._meant(everyone={OLD}, you={OLD})
        with self._load:
            self._show_and_take_back()
            self._promote()
            self._rotate()
        return self._load

    def _show_and_take_back(self) -> None:
        self._steps.request(ReleaseRequest(tag=NEW, weights=[50]))
        self._meant(everyone={OLD}, you={OLD, NEW})
        self._steps.go_on()
        self._meant(everyone={OLD}, you={NEW})
        self._meant(everyone={OLD, NEW}, you={NEW})
        self._steps.go_on()
        self._meant(everyone={OLD, NEW}, you={OLD, NEW})
        self._steps.take_back()
        self._meant(everyone={OLD}, you={OLD})

    def _promote(self) -> None:
        self._steps.request(ReleaseRequest(tag=NEW, weights=[50], canary=False))
        self._meant(everyone={OLD, NEW}, you={OLD, NEW})
        self._steps.go_on()
        self._steps.go_on()
        self._meant(everyone={NEW}, you={NEW})

    def _rotate(self) -> None:
        self._steps.request(ReleaseRequest(tag=NEXT, weights=[50], gives_up_old_version=True))
        self._steps.wait_until_in_place()

    def _meant(self, *, everyone: set[str], you: set[str]) -> None:
        images = self._demo.sandbox.images
        digests = [{images[tag].partition("@")[2] for tag in tags} for tags in (everyone, you)]
        self._load.phase(everyone=digests[0], you=digests[1])


class OneApply:
    """The module without its order, by hand: everyone has the new version, then images and weight change at once."""

    def __init__(self, demo: Demo) -> None:
        self._demo = demo

    def rotate(self) -> Load:
        """The load during that."""
        images = self._demo.sandbox.images
        plain = self._plain()
        plain.set_up()
        plain.change(blue_image=images[OLD], green_image=images[NEW], green_weight=100)
        load = Load(sandbox=self._demo.sandbox, target=_target(plain.outputs()), host=HOST_BY_HAND)
        promoted = {images[NEW].partition("@")[2]}
        load.phase(everyone=promoted, you=promoted)
        with load:
            plain.change(blue_image=images[NEW], green_image=images[NEXT], green_weight=0)
        return load

    def _plain(self) -> ByHand:
        made = self._demo.by_hand("one-apply", priority=100, hostnames=[HOST_BY_HAND])
        return made.with_module(write_unordered_module(_new_folder(made.folder) / "module"))


def _new_folder(folder: Path) -> Path:
    folder.mkdir(mode=0o700)
    return folder


def _target_of(service: Service) -> Target:
    names = ("traffic_rule_arn", "canary_rule_arn")
    of_colors = [f"{color}_{what}" for color in Color for what in ("target_group_arn", "function_name")]
    return _target({name: getattr(service, name) for name in (*names, *of_colors)})


def _target(found: dict[str, Any]) -> Target:
    return Target(
        rule_arns=[found["canary_rule_arn"], found["traffic_rule_arn"]],
        functions={found[f"{color}_target_group_arn"]: found[f"{color}_function_name"] for color in Color},
    )

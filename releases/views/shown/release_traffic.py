"""The share of the users that a release's version had, from one moment to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from releases.domain.reports.traffic_picture import TrafficMoment
from releases.domain.traffic import Color, TrafficState, Version
from releases.models import EmergencyRollback, Release, Step
from releases.services import states
from releases.views.shown.words import step_title


def traffic_over_time(
    release: Release,
    steps: Sequence[Step],
    rollbacks: Sequence[EmergencyRollback],
    verified_at: Mapping[str, datetime],
) -> list[TrafficMoment]:
    """What was read back after each step and each rollback, in the order of time; at first nobody has the version.

    ``verified_at`` says by a step's id when that was.
    """
    version = Version(image=release.image, configuration=release.configuration)
    read_back = sorted(
        (verified_at[str(step.pk)], step_title(step), states.from_json(step.state_after))
        for step in steps
        if str(step.pk) in verified_at and step.state_after
    )
    moments = [
        TrafficMoment(at=release.requested_at, share=0, canary=False, what="Requested"),
        *(_moment(at, what, state, version) for at, what, state in read_back),
    ]
    if read_back:
        moments += _taken_back(rollbacks, read_back[-1][2], version)
    return sorted(moments, key=lambda moment: moment.at)


def _taken_back(
    rollbacks: Sequence[EmergencyRollback], last: TrafficState, version: Version
) -> list[TrafficMoment]:
    return [
        _moment(rollback.traffic_back_at, "Rolled back", _only(last, Color(rollback.safe_color)), version)
        for rollback in rollbacks
        if rollback.traffic_back_at
    ]


def _only(state: TrafficState, color: Color) -> TrafficState:
    weight = 100 if color is Color.GREEN else 0
    return replace(state, green_weight=weight, activate_canary=False, canary_addresses=())


def _moment(at: datetime, what: str, state: TrafficState, version: Version) -> TrafficMoment:
    share = sum(state.weight_of(color) for color in Color if state.version_of(color) == version)
    canary = state.activate_canary and state.version_of(state.candidate) == version
    return TrafficMoment(at=at, share=share, canary=canary, what=what)

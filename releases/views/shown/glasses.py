"""The broken glasses of a release, flagged until they are reviewed."""

from dataclasses import dataclass

from releases.domain.access.decisions import Decision, Person
from releases.models import BrokenGlass, Release
from releases.selectors import records as record_selectors
from releases.services.approval import break_glass
from releases.views.shown.words import step_title


@dataclass(frozen=True, kw_only=True)
class GlassShown:
    """``may_review`` is about the person who looks."""

    broken: BrokenGlass
    what: str
    may_review: Decision


def gate_of_glass(glass: BrokenGlass) -> str:
    """What its gate stands before, after "for"."""
    return step_title(glass.step) if glass.plan_run_id else "the request"


def glasses_of(release: Release, person: Person) -> list[GlassShown]:
    """In the order of time, for this person; a constant number of queries."""
    glasses = record_selectors.glasses_of(release)
    answers = break_glass.review_answers(person, glasses)
    return [
        GlassShown(
            broken=glass,
            what=gate_of_glass(glass),
            may_review=answer,
        )
        for glass, answer in zip(glasses, answers, strict=True)
    ]

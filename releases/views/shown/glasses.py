"""The broken glasses of a release, flagged until they are reviewed."""

from dataclasses import dataclass

from django.contrib.auth.models import User

from releases.domain.decisions import Decision
from releases.models import BrokenGlass, Release, Service
from releases.permissions import as_person
from releases.services import break_glass
from releases.views.shown.words import step_title


@dataclass(frozen=True, kw_only=True)
class GlassShown:
    """``may_review`` is about the person who looks."""

    broken: BrokenGlass
    what: str
    may_review: Decision


def glasses_of(service: Service, release: Release, user: User) -> list[GlassShown]:
    """In the order of time; a constant number of queries."""
    found = BrokenGlass.objects.filter(step__release=release)
    glasses = list(found.select_related("step", "step__release", "broken_by", "reviewed_by"))
    answers = break_glass.review_answers(as_person(user, service), glasses)
    return [
        GlassShown(
            broken=glass,
            what=step_title(glass.step) if glass.plan_run_id else "the request",
            may_review=answer,
        )
        for glass, answer in zip(glasses, answers, strict=True)
    ]

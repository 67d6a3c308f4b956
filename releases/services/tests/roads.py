"""The roads by which somebody can try to approve, and what has to come of each try that is not theirs to make."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import Group, User
from django.test import Client

from audit.events import Actor
from audit.models import AuditEvent
from releases.domain.access.roles import Role
from releases.domain.lifecycle import StepStatus
from releases.models import Approval, Service
from releases.services.access import roles
from releases.services.access.roles import EVERYWHERE, Place
from releases.tests.api import call, secret_of
from releases.tests.conftest import text_of

TESTS = Actor(id="", name="tests", via="command")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def form_of(life, **more: str) -> dict[str, str]:
    """What the page's form carries."""
    shown = life.shown()["shown"]
    return {"sha256": shown.sha256, "changes_digest": shown.changes_digest, "comment": "fine", **more}


def body_of(form: dict[str, str]) -> dict[str, str]:
    """The same for the API."""
    sent = dict(form)
    return {"plan_sha256": sent.pop("sha256"), **sent}


def api_address(life, act: str = "approve") -> str:
    step = life.step()
    return f"/services/shop/releases/{step.release.number}/steps/{step.pk}/{act}"


def by_page(life, user: User, form: dict[str, str]) -> Any:
    return signed_in(user).post(f"/services/shop/steps/{life.step().pk}/approve/", form)


def by_inbox(life, user: User, form: dict[str, str]) -> Any:
    return signed_in(user).post(f"/inbox/{life.step().pk}/approve/", form)


def by_list(life, user: User, form: dict[str, str]) -> Any:
    plan = f"{life.step().pk}:{form['sha256']}:{form['changes_digest']}"
    return signed_in(user).post("/inbox/approve/", {"plan": plan})


def by_api(life, user: User, form: dict[str, str]) -> Any:
    return call(secret_of(user), "POST", api_address(life), body_of(form))


ROADS = [by_page, by_inbox, by_list, by_api]


def said(answer: Any) -> str:
    return answer.json()["detail"] if "json" in answer["Content-Type"] else text_of(answer)


def refusals() -> list[str]:
    return list(
        AuditEvent.objects.filter(action="access.refused").order_by("id").values_list("reason", flat=True)
    )


def refused_by_every_road(life, user: User, why: str, form: dict[str, str] | None = None) -> None:
    """Each answers 403 with the reason, which the trail has too; nothing is approved or applied by it."""
    form, before, applied = form or form_of(life), Approval.objects.count(), len(life.world.applied)
    for number, road in enumerate(ROADS, start=len(refusals()) + 1):
        answer = road(life, user, form)
        assert answer.status_code == 403, road
        assert why in said(answer), road
        assert len(refusals()) == number, road
        assert why in refusals()[-1], road
    life.world.work()
    assert (Approval.objects.count(), len(life.world.applied)) == (before, applied)


def found_by_the_worker(life, why: str, meanwhile: Callable[[], object]) -> None:
    """An approved apply is queued, this comes in between, and the worker stops right before it."""
    applied = len(life.world.applied)
    life.world.before_apply = meanwhile
    assert life.step().status == StepStatus.APPLYING
    life.world.work()
    assert len(life.world.applied) == applied
    assert life.step().status == StepStatus.WAITING
    assert why in AuditEvent.objects.filter(action="step.planned-again").latest("id").reason


def give(holder: User | Group, service: Service | None, *given: Role) -> None:
    """Roles on a service, or everywhere."""
    for role in given:
        roles.record_given(role, holder, Place(service=service) if service else EVERYWHERE, actor=TESTS)

"""A service with one of everything that an address can name, another one, and somebody of each role."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import Group, User

from audit import events
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.models import Delivery, EmergencyRollback, Message, Release, RoleGrant, ServiceAccount, Step
from releases.services.access import roles, tokens
from releases.services.access.roles import Place
from releases.services.access.tokens import WantedToken
from releases.tests import factories
from releases.tests.conftest import Scene
from releases.tests.every_address import API, every_address

FORM = {
    **{"priority": "300", "canary_slots": "1", "stickiness_seconds": "0", "provisioned_concurrency": "0"},
    **{
        "rotation": "copy",
        "settle_seconds": "2",
        "rollback_window_seconds": "60",
        "gives_up_requests": "yes",
    },
    **{"reason": "why", "comment": "not today", "tag": "green", "weights": "50", "choice": "Errors"},
    **{"bake_seconds": "0", "share": "5", "as": "csv"},
}
WANTED = WantedToken(name="ci", days=1, permissions=frozenset(Permission))


@dataclass(frozen=True, kw_only=True)
class World:
    """``people`` has one of each role, "other", who manages the service of the release ``elsewhere``, and "none".

    ``named`` is what can stand in an address; ``instead`` what stands there in those that begin so.
    """

    scene: Scene
    elsewhere: Release
    people: dict[str, User]
    named: dict[str, Any]
    instead: dict[str, dict[str, Any]]

    def names(self, address: str) -> dict[str, Any]:
        """What is named in an address: all of it belongs to the first service."""
        instead = next((more for kind, more in self.instead.items() if address.startswith(kind)), {})
        return {name: (self.named | instead)[name] for name in every_address()[address]}

    def sent(self, address: str) -> dict[str, Any]:
        """What any of the forms needs, or what the operation of the API takes."""
        run = self.scene.canary.plan_run
        assert run is not None
        digests = {"changes_digest": run.changes_digest}
        if not address.startswith(API):
            return FORM | digests | {"sha256": run.plan_sha256}
        decision = {**digests, "plan_sha256": run.plan_sha256, "comment": "not today"}
        return {
            f"{API}approve_step": decision,
            f"{API}reject_step": decision,
            f"{API}request_release": {"tag": "yellow"},
        }.get(address, {})


def make_world(scene: Scene) -> World:
    """One whose other service has a release too, of the same number as the first's."""
    another = factories.ServiceFactory.create(name="other")
    elsewhere = factories.release_with_steps(
        another, factories.UserFactory.create(), number=scene.release.number
    )
    people = {"none": factories.UserFactory.create(username="none")}
    for role in Role:
        people[role.value] = factories.UserFactory.create(username=f"the-{role.value}")
        place = roles.EVERYWHERE if role is Role.ADMIN else Place(service=scene.service)
        roles.record_given(role, people[role.value], place, actor=factories.TESTS)
    people["other"] = factories.UserFactory.create(username="other")
    factories.give(people["other"], another, Role.MANAGER)
    converge = Step.objects.create(
        service=scene.service, transition="rollback", candidate_share=0, status="done"
    )
    named = _of_service(scene, converge) | _of_people(scene, people)
    instead = {
        "change-": {"step_id": converge.pk},
        "account-token-revoke": {
            "token_id": tokens.make(User.objects.get(pk=named["account_id"]), WANTED)[0].pk
        },
    }
    return World(scene=scene, elsewhere=elsewhere, people=people, named=named, instead=instead)


def _of_service(scene: Scene, converge: Step) -> dict[str, Any]:
    service, canary = scene.service, scene.canary
    rollback = EmergencyRollback.objects.create(
        service=service,
        epoch=0,
        pressed_by=scene.manager,
        pressed_at=converge.created_at,
        converge=converge,
    )
    event = events.record(actor=factories.TESTS, action="step.done", service_id=str(service.pk))
    message = Message.objects.create(
        service=service,
        kind="rolled_back",
        content={"service": service.name, "environment": service.environment},
    )
    return {
        "name": service.name,
        "number": scene.release.number,
        "environment": service.environment,
        "form": "csv",
        "step_id": canary.pk,
        "run_id": canary.plan_run_id,
        "rollback_id": rollback.pk,
        "batch": rollback.pk,
        "event_id": event.pk,
        "broken_id": factories.broken_glass(canary, scene.operator).pk,
        "delivery_id": Delivery.objects.create(message=message, to="one", state="failed").pk,
    }


def _of_people(scene: Scene, people: dict[str, User]) -> dict[str, Any]:
    """Of somebody besides those who ask, of a program, and a token of the manager's."""
    somebody, program = factories.UserFactory.create_batch(2)
    group = Group.objects.create(name="SREs")
    somebody.groups.add(group)
    factories.give(somebody, scene.service, Role.VIEWER)
    ServiceAccount.objects.create(user=program, service=scene.service, made_by=somebody)
    return {
        "uidb64": "x",
        "token": "y",
        "person_id": somebody.pk,
        "group_id": group.pk,
        "grant_id": RoleGrant.objects.get(user=somebody).pk,
        "account_id": program.pk,
        "token_id": tokens.make(people["manager"], WANTED)[0].pk,
    }

"""``manage.py demo``: the service and the people that ``make run`` begins with, against the sandbox."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from audit.events import Actor
from infra.sandbox.info import SandboxInfo, read_info
from releases import selectors
from releases.domain.access.roles import Role
from releases.domain.canary import CanaryHeader
from releases.domain.errors import DomainError
from releases.domain.lifecycle import StepStatus
from releases.domain.messaging.messages import WebhookStyle
from releases.models import Service, Webhook
from releases.permissions import grant_set_up
from releases.services.access import people
from releases.services.access.roles import EVERYWHERE, Place, record_given
from releases.services.lifecycle import locked
from releases.services.messaging import webhooks
from releases.services.messaging.webhooks import WantedWebhook
from releases.services.provisioning.setup import NewService, begin_set_up, create_service
from releases.services.versions.configurations import WantedConfiguration

NAME = "nginx-lambda"
OF_PARTS: dict[str, Any] = {"canary_header": CanaryHeader, "configuration": WantedConfiguration}
LOOPBACK = "127.0.0.1"
COMMAND = Actor(id="", name="manage.py demo", via="command")
PEOPLE = {
    "requester": Role.REQUESTER,
    "manager": Role.MANAGER,
    "operator": Role.OPERATOR,
    "auditor": Role.AUDITOR,
    "admin": Role.ADMIN,
}
"""Each person's role: the administrator's everywhere, the others' on the demo's service."""


class Command(BaseCommand):
    """Makes the demo's service and people where they are not there yet; begins a failed set-up anew."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Idempotent: what is there stays as it is."""
        if not settings.SANDBOX_FILE or not settings.DEMO_PASSWORD:
            raise CommandError(
                "The demo needs BLUEGREEN_SANDBOX_FILE and BLUEGREEN_DEMO_PASSWORD: use `make run`."
            )
        service = Service.objects.filter(name=NAME).first()
        if service is None:
            service = create_service(_demo_service(read_info(Path(settings.SANDBOX_FILE))), actor=COMMAND)
        else:
            _try_set_up_again(service)
        for name, role in PEOPLE.items():
            _make_person(name, role, EVERYWHERE if role is Role.ADMIN else Place(service=service))
        if settings.WEBHOOK_LOOPBACK:
            _send_messages_to(read_info(Path(settings.SANDBOX_FILE)))


def _demo_service(sandbox: SandboxInfo) -> NewService:
    """With a settle time of a second, since the sandbox's rules are in force at once, and a short window."""
    usual = NewService(
        name=NAME,
        family="nginx-svc",
        environment="production",
        region=sandbox.region,
        account_id=sandbox.account_id,
        listener_arn=sandbox.listener_arn,
        repository_uri=sandbox.repository_uri,
        tag="blue",
        canary_addresses=["127.0.0.9/32"],
        bake_seconds=0,
        settle_seconds=1,
        rollback_window_seconds=60,
    )
    return replace(usual, **_differences())


def _differences() -> dict[str, Any]:
    """What BLUEGREEN_DEMO_SERVICE says; refused where the service has no such field."""
    given = settings.DEMO_SERVICE
    if not isinstance(given, dict):
        raise CommandError("BLUEGREEN_DEMO_SERVICE is not a JSON object.")
    unknown = sorted(set(given) - {field.name for field in fields(NewService)})
    if unknown:
        raise CommandError(f"BLUEGREEN_DEMO_SERVICE has what a service has not: {', '.join(unknown)}.")
    return {name: _made(name, value) for name, value in given.items()}


def _made(name: str, value: Any) -> Any:  # noqa: ANN401 - as different as the fields are
    """A field's value, of which JSON may hold only the parts."""
    if name not in OF_PARTS:
        return value
    try:
        return OF_PARTS[name](**value)
    except (TypeError, DomainError) as error:
        raise CommandError(f"BLUEGREEN_DEMO_SERVICE: {name} cannot be so: {error}") from error


def _try_set_up_again(service: Service) -> None:
    with locked(service.pk) as service:
        step = selectors.current_step(service)
        if service.set_up_at is None and step and step.status == StepStatus.FAILED:
            begin_set_up(service, actor=COMMAND)


def _send_messages_to(sandbox: SandboxInfo) -> None:
    """The sandbox's page of messages shows them; its port may be another one than at the last start."""
    present = Webhook.objects.filter(service__isnull=True).first()
    address = f"{sandbox.endpoint_url}/-/sandbox/webhook"
    if present is None or (present.host == LOOPBACK and webhooks.reveal(present)[0] != address):
        secret = sandbox.secret_access_key.ljust(webhooks.SHORTEST_SECRET, "-")
        wanted = WantedWebhook(style=WebhookStyle.JSON, address=address, secret=secret)
        webhooks.keep(service=None, wanted=wanted, actor=COMMAND)


@transaction.atomic
def _make_person(name: str, role: Role, place: Place) -> None:
    user = User.objects.filter(username=name).first()
    if user is None:
        user = people.record_added(name, email=f"{name}@example.com", actor=COMMAND)
        user.set_password(settings.DEMO_PASSWORD)
        user.save(update_fields=["password"])
        record_given(role, user, place, actor=COMMAND)
    if role is Role.OPERATOR:
        grant_set_up(user)

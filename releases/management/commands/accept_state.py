"""``manage.py accept_state SERVICE REASON``: the stored state is the right one."""

import argparse
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.events import Actor
from releases.models import Service
from releases.services.execution.stored_states import accept_state

COMMAND = Actor(id="", name="manage.py accept_state", via="command")


class Command(BaseCommand):
    """Lets a service's next run take the stored state, whoever it is; see docs/storage.md."""

    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The reason goes to the trail."""
        parser.add_argument("service", help="its name")
        parser.add_argument("reason", help="why this state is the right one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what happens next."""
        service = Service.objects.filter(name=options["service"]).first()
        if service is None:
            raise CommandError(f"There is no service “{options['service']}”.")
        accept_state(service, actor=COMMAND, reason=options["reason"])
        self.stdout.write("The next run takes the state that it finds. Plan the step again.")

"""``manage.py audit_export``: the whole audit trail as JSON Lines, for ``audit/check_chain.py``."""

from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from audit import events, stored
from audit.events import Actor

COMMAND = Actor(id="", name="manage.py audit_export", via="command")


class Command(BaseCommand):
    """Writes to standard output, in constant memory. That it was done is an event, which the next export has."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Write all events in the order of their numbers."""
        with stored.whole_chain() as chain:
            for line in stored.export_lines(chain):
                self.stdout.write(line, ending="")
        with transaction.atomic():
            events.record(actor=COMMAND, action="audit.exported")

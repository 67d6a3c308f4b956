"""``manage.py changepassword``: refused, since Django's own would leave no event."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class Command(BaseCommand):
    """Says what to use instead."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Whatever Django's own is given."""
        parser.add_argument("args", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse."""
        raise CommandError(
            "People set their passwords themselves. Use `manage.py add_person NAME --new-password` for a link."
        )

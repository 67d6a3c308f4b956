"""``manage.py createsuperuser``: refused, since Django's own would leave no event."""

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
            "Nobody may do more here by being a superuser. Use `manage.py add_person NAME --admin`."
        )

"""Commands of Django's own that are refused: they would change people without an event."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class RefusedCommand(BaseCommand):
    """Takes whatever Django's own takes, and says what to use ``instead``."""

    instead: str

    def add_arguments(self, parser: CommandParser) -> None:
        """Whatever Django's own is given."""
        parser.add_argument("args", nargs="*")

    def handle(self, *args: Any, **options: Any) -> None:
        """Refuse."""
        raise CommandError(self.instead)

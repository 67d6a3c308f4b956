"""``manage.py audit_verify``: whether the audit trail is as it was recorded."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.check_chain import Broken
from aws.errors import AwsError
from releases.services.reports import checkpoints


class Command(BaseCommand):
    """Walks the chain beside its checkpoints; fails with the first event that was changed, is missing or was put in."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """Where else there are checkpoints."""
        parser.add_argument("--checkpoints", type=Path, help="a folder with copies that were kept elsewhere")

        parser.add_argument(
            "--full", action="store_true", help="read every checkpoint, also those not due today"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say what was found; it is in the trail as well."""
        folder = options["checkpoints"]
        if folder and not folder.is_dir():
            raise CommandError(f"{folder} is no folder. Name the one that has the copies of the checkpoints.")
        try:
            sound = checkpoints.verify(folder, every=options["full"])
        except Broken as broken:
            raise CommandError(broken.words) from broken
        except (AwsError, OSError) as error:
            raise CommandError(f"The checkpoints cannot be read: {error}") from error
        self.stdout.write(
            f"All is as it was recorded. Events: {sound.events}; checkpoints: {sound.checkpoints}; "
            f"the last event's hash: {sound.hash}."
        )

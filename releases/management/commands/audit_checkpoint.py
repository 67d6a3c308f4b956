"""``manage.py audit_checkpoint``: signs the present end of the audit trail, now."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.signing import InvalidSigningKey
from aws.errors import AwsError
from releases.services.reports import checkpoints


class Command(BaseCommand):
    """What is done every five minutes by itself; or says by which keys the signatures are known."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """What an auditor needs."""
        parser.add_argument(
            "--public-key", action="store_true", help="print the public keys, and sign nothing"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say where the checkpoint is."""
        try:
            if options["public_key"]:
                self.stdout.write("\n".join(checkpoints.public_keys()))
                return
            place = checkpoints.make()
        except (AwsError, OSError, InvalidSigningKey) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(place or "Nothing was recorded since the last checkpoint.")

"""``manage.py renew_encryption``: after a change of BLUEGREEN_ENCRYPTION_KEYS."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aws.errors import AwsError
from releases.services.renewal import renew_encryption


class Command(BaseCommand):
    """Encrypts whatever is stored encrypted again, with the first key; see docs/storage.md."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Say how much it was; fail where something cannot be read."""
        try:
            renewed = renew_encryption()
        except (AwsError, OSError) as error:
            raise CommandError(f"{error} Run this again: what is done is done.") from error
        self.stdout.write(f"Encrypted again: {renewed.objects} objects, {renewed.values} secret values.")
        if renewed.problems:
            raise CommandError("Keep the old keys. This could not be read:\n" + "\n".join(renewed.problems))
        self.stdout.write("The first key has encrypted everything: the other ones can be taken away.")

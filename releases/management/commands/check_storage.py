"""``manage.py check_storage``: whether states, plans and logs can be kept where the settings say."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from aws.errors import AwsError
from releases.services.execution import storage


class Command(BaseCommand):
    """Writes, reads and removes an object, and looks whether the bucket keeps versions."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Say that all is well, or fail with what to do."""
        try:
            place, problems = storage.check()
        except (AwsError, OSError) as error:
            raise CommandError(str(error)) from error
        if problems:
            raise CommandError("\n".join(problems))
        self.stdout.write(f"States, plans and logs are kept in {place}: all is well.")

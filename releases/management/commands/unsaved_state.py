"""``manage.py unsaved_state RUN``: a state that Terraform could not write, in the clear."""

import argparse
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from releases.services.execution import storage
from terraform_runner.errors import RunnerError


class Command(BaseCommand):
    """Prints the state that a run of this machine has left; see docs/storage.md for what to do with it."""

    help = __doc__

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The run is named in the message of its failure."""
        parser.add_argument("run", type=UUID)

    def handle(self, *args: Any, **options: Any) -> None:
        """Print it. The state has secrets in it: send it to a file that nobody else reads."""
        try:
            content = storage.unsaved_states().get(str(options["run"]))
        except RunnerError as error:
            raise CommandError(error.message) from error
        if content is None:
            raise CommandError(f"Run {options['run']} has left no state on this machine.")
        self.stdout.write(content.decode(), ending="")

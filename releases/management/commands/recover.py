"""``manage.py recover``: at a start, before any worker."""

from typing import Any

from django.core.management.base import BaseCommand

from releases.services.execution import recovery


class Command(BaseCommand):
    """Ends the runs of this machine whose process is gone; their steps are planned again."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Say which runs were ended."""
        for run in recovery.end_lost_runs():
            self.stdout.write(
                f"{run.operation} run {run.pk} was lost with its worker: its step is planned again"
            )

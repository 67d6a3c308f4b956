"""Plans that nobody can need any more are removed: they are of steps that ended a stated number of days ago."""

import logging

from django.conf import settings

from aws.errors import AwsError
from releases import selectors
from releases.services.execution import storage
from terraform_runner import claims
from terraform_runner import selectors as runs
from terraform_runner.models import Run

logger = logging.getLogger(__name__)

# A store that is slow or doesn't answer must not keep a worker for long.
AT_ONCE = 20


def prune_plans() -> int:
    """Remove some of the plans that are too old, and say how many. What fails is tried again the next time."""
    found = selectors.plans_to_remove(older_than_days=settings.KEEP_PLANS_DAYS)[:AT_ONCE]
    removed = 0
    for run in found:
        try:
            _remove(run)
        except (AwsError, OSError) as error:
            logger.warning("the plan of run %s could not be removed: %s", run.pk, error)
            break
        removed += 1
    return removed


def _remove(run: Run) -> None:
    """A digest that another run names too stays until that run's plan goes."""
    store = storage.plan_store()
    for digest in {run.plan_sha256, run.document_sha256} - runs.digests_of_others(run):
        store.remove(digest)
    claims.note_plan_removed(run)

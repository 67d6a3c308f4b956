"""The watch after a press: the rules are read until nothing can move them any more, and set again whenever they differ.

A watch is a row. The process that pressed has it; one that is silent loses it to another web or worker process.
"""

import logging
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now

from releases.domain.traffic import Color
from releases.models import EmergencyRollback, Watch
from releases.selectors import rollbacks as rollback_selectors
from releases.services.execution.patience import DATABASE_AWAY
from releases.services.lifecycle import now, patient_for
from releases.services.rollback import rollbacks, safe_traffic
from releases.services.rollback.safe_traffic import SafeTraffic
from terraform_runner.leases import after

logger = logging.getLogger(__name__)

SILENT_SECONDS = 3.0
# AWS does not promise how soon everybody reads what was written.
LEAST_SECONDS = 3.0
# What Terraform had asked AWS for before it was interrupted, or ended with its worker, is in force within this time.
CUT_SHORT_WITHIN = timedelta(seconds=30)


def take(watcher: str) -> list[Watch]:
    """The open watches of this process from now on: its own, and those whose process is silent.

    Its own are among them also where somebody who stands still has locked the row: the rules are looked after all the
    same. Raises ``OperationalError`` where the database does not answer in time.
    """
    open_ones = Watch.objects.filter(ended_at=None)
    with patient_for(rollbacks.LOCK_TIMEOUT_MS):
        free = Q(watcher=watcher) | Q(seen_at__lt=after(-SILENT_SECONDS))
        found = open_ones.filter(free).select_for_update(skip_locked=True).values_list("pk", flat=True)
        Watch.objects.filter(pk__in=list(found)).update(watcher=watcher, seen_at=Now())
    return list(open_ones.filter(watcher=watcher).select_related("rollback__service"))


def look(watch: Watch) -> bool:
    """Read the rules once, set them again where they differ, and record that. Whether they are as they should be.

    While the database cannot be reached the rules are looked after all the same: nothing else begins without it.
    """
    rollback = watch.rollback
    wanted = SafeTraffic.of(rollback.service, Color(rollback.safe_color))
    differs = bool(safe_traffic.problem_read_back(wanted))
    is_over = _is_over(rollback)
    problem = safe_traffic.bring_back(wanted) if differs and not is_over else ""
    try:
        if not is_over:
            _note(rollback, differs=differs, problem=problem)
        if is_over or not (problem or _needs_watching(rollback)):
            _end(watch)
    except DATABASE_AWAY:
        logger.warning("the watch over %s goes on without the database", wanted.service)
    return not problem


def _is_over(rollback: EmergencyRollback) -> bool:
    """Whether somebody has begun something since that knows of the rollback: rules may differ again."""
    try:
        rollback.refresh_from_db()
        rollback.service.refresh_from_db(fields=["epoch"])
        return rollback.service.epoch != rollback.epoch or rollback_selectors.release_begun_since(rollback)
    except DATABASE_AWAY:
        return False


def _note(rollback: EmergencyRollback, *, differs: bool, problem: str) -> None:
    if rollback.traffic_back_at is None:
        rollbacks.note_outcome(rollback, problem)
    elif differs:
        rollbacks.note_set_again(rollback, problem)
    elif rollback.problem:
        with patient_for(rollbacks.LOCK_TIMEOUT_MS):
            EmergencyRollback.objects.filter(pk=rollback.pk).update(problem="")


def _needs_watching(rollback: EmergencyRollback) -> bool:
    is_young = now() - rollback.pressed_at < timedelta(seconds=LEAST_SECONDS)
    return is_young or rollback_selectors.may_still_move(rollback, cut_short_within=CUT_SHORT_WITHIN)


def _end(watch: Watch) -> None:
    """Nobody needs to look any more."""
    with patient_for(rollbacks.LOCK_TIMEOUT_MS):
        Watch.objects.filter(pk=watch.pk, ended_at=None).update(ended_at=Now())

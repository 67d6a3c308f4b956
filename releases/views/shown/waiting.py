"""What a run waits for that no worker has taken yet, or whose worker is silent, in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User

from releases.dispatch import RUNS, URGENT
from releases.models import Step
from releases.permissions import visible_services
from releases.views.shown.words import Tone
from terraform_runner import workers
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run
from terraform_runner.workers import Situation

# A heartbeat comes every second.
SILENT_SECONDS = 10


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """``tone`` is a warning where nothing happens by itself."""

    text: str
    tone: Tone


def waiting_of(step: Step | None, reader: User) -> Waiting | None:
    """What a step's run waits for; None if it goes on as it should, or there is none. Three queries at most."""
    return waiting_run((step.apply_run or step.plan_run) if step else None, reader)


def waiting_run(run: Run | None, reader: User) -> Waiting | None:
    """What a run waits for; None if it goes on as it should, or there is none. Three queries at most."""
    if run is not None and run.status == RunStatus.RUNNING:
        return _silent(run, workers.silence_of(run))
    if run is None or run.status != RunStatus.QUEUED:
        return None
    situation = workers.situation(run, queue=URGENT if run.urgent else RUNS)
    busy = visible_services(reader).filter(pk__in=situation.busy_with)
    return in_words(situation, {str(pk): name for pk, name in busy.values_list("pk", "name")})


def in_words(situation: Situation, visible: Mapping[str, str]) -> Waiting:
    """The first thing that holds it up. ``visible`` has the names, by id, of the services that the reader may see."""
    if situation.held:
        return Waiting(text="It waits: another run holds this service.", tone=Tone.GO)
    if situation.workers == 0:
        return Waiting(text=_nobody(situation.silent_for), tone=Tone.WARN)
    if len(situation.busy_with) == situation.workers:
        busy = f"{len(situation.busy_with)} of {situation.workers} busy"
        names = _names(situation.busy_with, visible)
        return Waiting(text=f"It waits for a free worker ({busy}: {names}).", tone=Tone.GO)
    return Waiting(text="A worker is about to take it.", tone=Tone.GO)


def _silent(run: Run, silent_for: timedelta | None) -> Waiting | None:
    """A run whose worker says nothing any more."""
    if silent_for is None or silent_for.total_seconds() < SILENT_SECONDS:
        return None
    host = run.worker.partition("/")[0]
    text = (
        f"Its worker on {host} has not been heard of for {_since(silent_for)}. Another one takes over soon."
    )
    return Waiting(text=text, tone=Tone.WARN)


def _nobody(silent_for: timedelta | None) -> str:
    if silent_for is None:
        return "It waits: no worker has ever been seen. Start one, as docs/workers.md says."
    return f"It waits: no worker has been seen for {_since(silent_for)}. Look whether they run."


def _since(silent_for: timedelta) -> str:
    seconds = int(silent_for.total_seconds())
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} minutes"


def _names(workspaces: tuple[str, ...], visible: Mapping[str, str]) -> str:
    known = sorted(visible[workspace] for workspace in workspaces if workspace in visible)
    others = len(workspaces) - len(known)
    hidden = [f"{others} of services that you may not see"] if others else []
    return ", ".join([*known, *hidden])

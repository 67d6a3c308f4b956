"""A step that belongs to no release, on its service's page: what it does, who asked for it, and what may be done."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User

from releases.domain import acts
from releases.domain.access.decisions import Decision, Person
from releases.domain.provisioning import managing
from releases.domain.provisioning.settings import from_columns
from releases.domain.provisioning.settings_words import LABELS, Changed, differences, in_words
from releases.domain.traffic import ROTATIONS, Transition
from releases.models import Service, Step
from releases.permissions import as_person
from releases.services import facts
from releases.services.approval.gates import gates_before
from releases.services.provisioning import managed
from releases.services.provisioning.settings_columns import recorded_settings
from releases.views.shown.decision import DecisionShown, decision_of
from releases.views.shown.gate import gate_of
from releases.views.shown.log import log_tail
from releases.views.shown.plans import PlanShown, plan_of
from releases.views.shown.words import Status, step_meaning, step_status, step_title


@dataclass(frozen=True, kw_only=True)
class ChangeShown:
    """Set-up, settings, removal or preparation; each ``may_`` is true, or has the reason why not.

    ``asked`` has what a set-up makes, each in words with its name; ``decision`` is none where no plan waits for one.
    """

    step: Step
    title: str
    meaning: str
    status: Status
    differences: tuple[Changed, ...]
    asked: tuple[tuple[str, str], ...]
    plan: PlanShown | None
    decision: DecisionShown | None
    may_cancel: Decision
    may_retry: Decision
    log: dict[str, Any]

    @property
    def prepares(self) -> bool:
        """Whether it is a part of the next release's rotation, done ahead."""
        return self.step.transition in ROTATIONS


def change_of(user: User, service: Service, step: Step) -> ChangeShown | None:
    """The change that a step is; none where it is a release's or the end of a rollback."""
    if step.release_id is not None or step.transition == Transition.ROLLBACK:
        return None
    person, known = as_person(user, service), managed.managed_facts(service)
    plan = plan_of(service, step)
    changed: tuple[Changed, ...] = ()
    if step.settings_after:
        changed = differences(from_columns(step.settings_before), from_columns(step.settings_after))
    return ChangeShown(
        step=step,
        title=step_title(step),
        meaning=step_meaning(step),
        status=step_status(step),
        differences=changed,
        asked=_asked(service) if step.transition == Transition.SET_UP else (),
        plan=plan,
        decision=_decision(person, service, step, plan) if step.status == "waiting" and step.gate else None,
        may_cancel=managing.may_cancel(person, known),
        may_retry=managing.may_retry(person, known),
        log=log_tail(step),
    )


def _decision(person: Person, service: Service, step: Step, plan: PlanShown | None) -> DecisionShown:
    gates = gates_before(service, step)
    step_now = facts.step_facts(service, step, gates)
    return decision_of(
        step,
        gate_of(gates.present),
        may_approve=acts.may_decide(person, step_now),
        may_reject=acts.may_refuse(person, step_now),
        is_whole=plan is not None and plan.is_complete,
    )


def _asked(service: Service) -> tuple[tuple[str, str], ...]:
    """What somebody who approves a set-up has to know, and what no plan says in these words."""
    settings = recorded_settings(service)
    asked = {
        "Image": f"{service.repository_uri}:{service.blue_tag}",
        "Listener": service.listener_arn,
        "Canary addresses": ", ".join(service.canary_addresses) or "none",
        "Execution role": service.role_arn or f"one is made, with {service.role_rights} rights",
        "Permissions boundary": service.role_permissions_boundary or "none",
    }
    return tuple(
        (asked | {label: in_words(name, getattr(settings, name)) for name, label in LABELS.items()}).items()
    )

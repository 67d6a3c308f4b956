"""Which approved plan of a step a new one is the rest of, after a run that was lost in the middle of its apply."""

from releases.domain.approval.rest import is_rest
from releases.models import Step
from releases.services.approval import gates
from releases.services.execution import storage
from terraform_runner.domain.plan import Plan, parse_plan
from terraform_runner.domain.results import Planned
from terraform_runner.errors import RunnerError


def approved_before(step: Step, planned: Planned) -> str:
    """The changes digest of that plan; empty if there is none, or none that can be read any more."""
    approvals = [one for one in gates.since_rejection(step) if one.epoch == step.epoch]
    others = [one for one in approvals if one.changes_digest != planned.changes_digest]
    found = (
        one
        for one in others
        if one.plan_run and _is_rest(planned.document_sha256, one.plan_run.document_sha256)
    )
    return next((one.changes_digest for one in found), "")


def _is_rest(document_sha256: str, of: str) -> bool:
    try:
        return is_rest(_kept(document_sha256), of=_kept(of))
    except RunnerError:  # it was removed, or changed: then it covers nothing
        return False


def _kept(document_sha256: str) -> Plan:
    return parse_plan(storage.plan_store().read_json(document_sha256))

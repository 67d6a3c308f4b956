"""What the rules refuse to people; and what ends a run without a result, in the runner's own form."""

from collections.abc import Mapping

from aws.errors import AwsError
from releases.domain.access.decisions import Decision, Refused
from releases.domain.errors import DomainError
from terraform_runner.errors import RunnerError


class ActRefused(DomainError):
    """The rules say that this person may not do this now; the message says why."""


class FieldsInvalid(DomainError):
    """What somebody asks for can't be had; ``by_field`` says why, by the names of the fields."""

    def __init__(self, code: str, by_field: Mapping[str, str]) -> None:
        super().__init__(code, " ".join(by_field.values()))
        self.by_field = by_field


# Whatever the state of the release: these are refused to the person.
_PERSONAL = (
    *("person:", "approval:own-release", "approval:changed-it", "approval:service-account"),
    *("approval:other-gate", "approval:no-place", "glass:not-yours", "glass:own", "managed:own-gate"),
)


def is_personal(error: DomainError | Refused) -> bool:
    """Whether somebody else might have done it: pages and the API answer 403."""
    return error.code.startswith(_PERSONAL)


def refuse_unless(answer: Decision) -> None:
    """Raise ``ActRefused`` with the rules' words where they say no."""
    if isinstance(answer, Refused):
        raise ActRefused(answer.code, answer.reason)


class PlanOutdated(RunnerError):
    """What is real, or what was decided, is no longer what the plan was made from: another plan is needed."""

    code = "plan:outdated"


class DatabaseAway(RunnerError):
    """Nobody could be asked or told: what is real is looked at again, by another plan."""

    code = "database:away"


class StepFailed(RunnerError):
    """A problem that is not Terraform's: of AWS, of the rules, or one that nobody expected."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def as_runner_error(error: RunnerError | AwsError | DomainError) -> RunnerError:
    """The same problem in the runner's form."""
    return error if isinstance(error, RunnerError) else StepFailed(error.code, error.message)

"""What can go wrong with a run, each with a stable code and a message that says what to do next."""


class RunnerError(Exception):
    """Base of everything that the runner expects to go wrong."""

    code = "terraform:failed"

    def __init__(self, message: str, *, exit_code: int | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code

    def __str__(self) -> str:
        return self.message


class TerraformMissing(RunnerError):
    """There is no Terraform to run."""

    code = "terraform:missing"


class TerraformTooOld(RunnerError):
    """This Terraform is older than the runner, the module or the state asks for."""

    code = "terraform:too-old"


class ProviderNotFound(RunnerError):
    """A provider could not be found or installed."""

    code = "terraform:provider-not-found"


class StateLocked(RunnerError):
    """Somebody else holds the state. The runner waits its time for it and never removes a lock that isn't its own.

    ``who``, ``since`` and ``operation`` are as Terraform reports them, or empty.
    """

    code = "terraform:state-locked"

    def __init__(
        self, message: str, *, who: str, since: str, operation: str, exit_code: int | None = None
    ) -> None:
        super().__init__(message, exit_code=exit_code)
        self.who = who
        self.since = since
        self.operation = operation


class StateUnfit(RunnerError):
    """The stored state is not the one that the workspace's runs have worked with."""

    code = "terraform:state-unfit"


class StateUnsaved(RunnerError):
    """Terraform could not write the state after it had changed something. It is kept, and the next run pushes it."""

    code = "run:unsaved-state"


class UnsavedUnfit(RunnerError):
    """A state that was kept so does not go on from the stored one: a person has to say which of them is right."""

    code = "run:unsaved-state-unfit"


class ModuleInvalid(RunnerError):
    """The module, the root that calls it, or a value for one of its variables is wrong."""

    code = "terraform:module-invalid"


class PlanStale(RunnerError):
    """The plan cannot be applied any more: the state has changed since, or it was used already."""

    code = "terraform:plan-stale"


class PlanTampered(RunnerError):
    """What the store holds under a digest has another digest."""

    code = "terraform:plan-tampered"


class PlanMissing(RunnerError):
    """The store does not have this plan."""

    code = "terraform:plan-missing"


class RunCancelled(RunnerError):
    """Somebody asked the run to stop, and it stopped."""

    code = "run:cancelled"


class RunTimedOut(RunnerError):
    """The run took longer than it may."""

    code = "run:timed-out"


class HoldLost(RunnerError):
    """This worker does not hold the run any more: it may neither go on with it nor record anything."""

    code = "run:hold-lost"


class StorageFailed(RunnerError):
    """There is no room, or no permission, to write what the run needs."""

    code = "run:storage"


class EncryptionKeyUnknown(RunnerError):
    """Something was encrypted with a key that the key ring does not have."""

    code = "encryption:key-unknown"


class EncryptedDamaged(RunnerError):
    """Something that is stored encrypted is not what was encrypted there."""

    code = "encryption:damaged"


class TerraformKilled(RunnerError):
    """Terraform, its provider or its launcher was killed from outside: it does not say what it had done by then."""

    code = "terraform:killed"


class TerraformFailed(RunnerError):
    """Terraform said something that the runner has no better name for."""

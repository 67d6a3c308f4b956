import inspect

from terraform_runner import errors
from terraform_runner.errors import RunnerError

# Others store and show these codes: they do not change.
CODES = {
    "TerraformMissing": "terraform:missing",
    "TerraformTooOld": "terraform:too-old",
    "ProviderNotFound": "terraform:provider-not-found",
    "StateLocked": "terraform:state-locked",
    "ModuleInvalid": "terraform:module-invalid",
    "PlanStale": "terraform:plan-stale",
    "PlanTampered": "terraform:plan-tampered",
    "PlanMissing": "terraform:plan-missing",
    "TerraformFailed": "terraform:failed",
    "RunCancelled": "run:cancelled",
    "RunTimedOut": "run:timed-out",
    "HoldLost": "run:hold-lost",
    "StorageFailed": "run:storage",
    "EncryptedDamaged": "encryption:damaged",
    "EncryptionKeyUnknown": "encryption:key-unknown",
    "StateUnfit": "terraform:state-unfit",
    "StateUnsaved": "run:unsaved-state",
    "UnsavedUnfit": "run:unsaved-state-unfit",
    "TerraformKilled": "terraform:killed",
}


def test_every_error_has_its_stable_code():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, RunnerError)]

    assert {kind.__name__: kind.code for kind in kinds if kind is not RunnerError} == CODES


def test_error_reads_as_its_message_even_when_that_has_grown():
    error = RunnerError("it failed", exit_code=3)
    error.message += ", and more"

    assert str(error) == "it failed, and more"
    assert error.exit_code == 3

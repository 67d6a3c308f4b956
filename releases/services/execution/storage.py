"""Where states, plans and logs are kept: in the bucket that the settings name, else in the data directory."""

from collections.abc import Iterator
from functools import partial
from uuid import UUID

from django.conf import settings

from aws.accounts import Purpose
from aws.artifacts import Bucket
from aws.credentials import Credentials
from aws.errors import AwsError
from aws.kept_objects import KeptObjects
from aws.session import Access
from releases.services.execution import accounts
from terraform_runner.encrypted_objects import EncryptedObjects
from terraform_runner.errors import StorageFailed
from terraform_runner.objects import LocalObjects, Objects
from terraform_runner.plan_store import PlanStore
from terraform_runner.state import LocalState, S3State, State
from terraform_runner.whole_log import WholeLog, read_compressed

PLANS = "plans"
LOGS = "logs"
CHECKPOINTS = "checkpoints"
UNSAVED_STATES = "unsaved-states"
_TRIED = "written-and-removed"


def plan_store() -> PlanStore:
    """The plans and their JSON, encrypted."""
    return PlanStore(encrypted(PLANS))


class UnsavedStates(EncryptedObjects):
    """States that Terraform could not write, encrypted. A bucket that does not answer here either is an OSError."""

    def put(self, name: str, content: bytes) -> None:
        """Keep the bytes, encrypted with the first key."""
        try:
            super().put(name, content)
        except AwsError as error:
            raise OSError(error.message) from error


def unsaved_states() -> UnsavedStates:
    """They are where plans are, so that whichever machine has the next run finds them."""
    return UnsavedStates(objects(UNSAVED_STATES), settings.KEY_RING, folder=UNSAVED_STATES)


def encrypted(folder: str) -> EncryptedObjects:
    """A folder whose objects nobody reads without the keys."""
    return EncryptedObjects(objects(folder), settings.KEY_RING, folder=folder)


def objects(folder: str) -> Objects:
    """A folder of the store; its name may have "/"."""
    return bucket(f"{folder}/") if settings.STORAGE_BUCKET else LocalObjects(settings.DATA_DIR / folder)


def bucket(folder: str = "") -> Bucket:
    """The bucket, at a folder ("" or with "/" at its end). Raises ``AwsError`` if its account isn't listed."""
    return Bucket(
        access=_access(),
        name=settings.STORAGE_BUCKET,
        prefix=_prefix(folder),
        kms_key=settings.STORAGE_KMS_KEY,
    )


def checkpoints() -> Objects:
    """The folder of the trail's checkpoints, in which nothing that was put there first is overlooked."""
    return _kept_checkpoints() if settings.STORAGE_BUCKET else LocalObjects(settings.DATA_DIR / CHECKPOINTS)


def _kept_checkpoints() -> KeptObjects:
    return KeptObjects(
        access=_access(),
        name=settings.STORAGE_BUCKET,
        prefix=_prefix(f"{CHECKPOINTS}/"),
        kms_key=settings.STORAGE_KMS_KEY,
        retention_days=settings.AUDIT_RETENTION_DAYS,
    )


def _prefix(folder: str) -> str:
    return f"{settings.STORAGE_PREFIX}/{folder}" if settings.STORAGE_PREFIX else folder


def state(service_id: UUID, *, run_id: UUID) -> State:
    """The place of a service's state, with credentials for this run alone. Raises ``AwsError``."""
    folder = f"state/{service_id}"
    if not settings.STORAGE_BUCKET:
        return LocalState(folder=settings.DATA_DIR / folder)
    credentials = accounts.credentials_for_run(_access(), Purpose.WRITE, run_id)
    return _s3_state(bucket(f"{folder}/"), credentials)


def whole_log(run_id: UUID) -> WholeLog:
    """The log of a run that goes on; or, to be closed, what a killed process has left of it on this machine."""
    path = settings.DATA_DIR / "terraform" / LOGS / f"{run_id}.log"
    return WholeLog(path, keep=partial(_keep_log, run_id))


def read_log(run_id: UUID) -> Iterator[bytes] | None:
    """All of a run's log that was kept, in pieces; None while it goes on. Raises ``AwsError``."""
    kept = objects(LOGS).get(_log_name(run_id))
    return None if kept is None else read_compressed(kept)


def _keep_log(run_id: UUID, compressed: bytes) -> None:
    try:
        objects(LOGS).put(_log_name(run_id), compressed)
    except AwsError as error:
        raise StorageFailed(error.message) from error


def _log_name(run_id: UUID) -> str:
    return f"{run_id}.log.gz"


def check() -> tuple[str, list[str]]:
    """Where things are kept, and what is wrong with it, each with what to do. Raises ``AwsError`` or OSError."""
    tried = objects("check")
    tried.put(_TRIED, b"written by check_storage")
    tried.get(_TRIED)
    tried.remove(_TRIED)
    place = tried.place(_TRIED).removesuffix(f"/check/{_TRIED}")
    return place, [*bucket().problems(), *_kept_checkpoints().problems()] if settings.STORAGE_BUCKET else []


def _s3_state(place: Bucket, credentials: Credentials) -> S3State:
    return S3State(
        bucket=place.name,
        prefix=place.prefix,
        region=place.access.region,
        objects=place,
        access_key_id=credentials.access_key_id,
        secret_access_key=credentials.secret_access_key,
        session_token=credentials.session_token,
        kms_key=place.kms_key,
        endpoint_url=place.access.endpoint_url,
    )


def _access() -> Access:
    place = accounts.Place(region=settings.STORAGE_REGION, account_id=settings.STORAGE_ACCOUNT_ID)
    return accounts.access(place, Purpose.WRITE)

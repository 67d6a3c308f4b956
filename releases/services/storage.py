"""Where states, plans and logs are kept: in the bucket that the settings name, else in the data directory."""

from uuid import UUID

from django.conf import settings

from aws.accounts import Purpose
from aws.artifacts import Bucket
from aws.credentials import Credentials
from aws.session import Access
from releases.services import accounts
from terraform_runner.encrypted_objects import EncryptedObjects
from terraform_runner.objects import LocalObjects, Objects
from terraform_runner.plan_store import PlanStore
from terraform_runner.state import LocalState, S3State, State

PLANS = "plans"
UNSAVED_STATES = "unsaved-states"
_TRIED = "written-and-removed"


def plan_store() -> PlanStore:
    """The plans and their JSON, encrypted."""
    return PlanStore(encrypted(PLANS))


def unsaved_states() -> EncryptedObjects:
    """States that Terraform could not write, encrypted, on this machine: the bucket may be what did not answer."""
    folder = settings.DATA_DIR / UNSAVED_STATES
    return EncryptedObjects(LocalObjects(folder), settings.KEY_RING, folder=UNSAVED_STATES)


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
        prefix=f"{settings.STORAGE_PREFIX}/{folder}" if settings.STORAGE_PREFIX else folder,
        kms_key=settings.STORAGE_KMS_KEY,
    )


def state(service_id: UUID, *, run_id: UUID) -> State:
    """The place of a service's state, with credentials for this run alone. Raises ``AwsError``."""
    folder = f"state/{service_id}"
    if not settings.STORAGE_BUCKET:
        return LocalState(folder=settings.DATA_DIR / folder)
    credentials = accounts.credentials_for_run(_access(), Purpose.WRITE, run_id)
    return _s3_state(bucket(f"{folder}/"), credentials)


def check() -> tuple[str, list[str]]:
    """Where things are kept, and what is wrong with it, each with what to do. Raises ``AwsError`` or OSError."""
    tried = objects("check")
    tried.put(_TRIED, b"written by check_storage")
    tried.get(_TRIED)
    tried.remove(_TRIED)
    place = tried.place(_TRIED).removesuffix(f"/check/{_TRIED}")
    return place, bucket().problems() if settings.STORAGE_BUCKET else []


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

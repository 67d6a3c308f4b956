"""Where a workspace's state is: what Terraform is told about it, and where the runner keeps what belongs to it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from terraform_runner.objects import LocalObjects, Objects
from terraform_runner.private_files import make_private_directory

STATE_FILE = "terraform.tfstate"
# Beside the state, while somebody holds it: https://developer.hashicorp.com/terraform/language/backend/s3
LOCK_OBJECT = f"{STATE_FILE}.tflock"
# Read by the backend as the AWS SDKs read it. Beside the root module, whose folder is Terraform's current one: so the
# backend's configuration, which is kept with the plan, is the same in each run and has no secret in it.
CREDENTIALS_FILE = "state-credentials"
CREDENTIALS_PROFILE = "state"


class State(Protocol):
    """A state's place. The folder ``objects`` has the state itself (STATE_FILE) and the dependency lock file."""

    @property
    def backend(self) -> Mapping[str, Any]:
        """The backend's block of the root module."""

    @property
    def objects(self) -> Objects:
        """The folder in which the state is."""

    @property
    def credentials(self) -> bytes:
        """What CREDENTIALS_FILE has to be in the run's working directory; empty where the backend needs none."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What has to be masked wherever it appears."""

    def prepare(self) -> None:
        """Make what the backend does not make itself."""


@dataclass(frozen=True, kw_only=True)
class LocalState:
    """A state in a local folder of its own."""

    folder: Path

    @property
    def backend(self) -> Mapping[str, Any]:
        """Terraform's ``local`` backend."""
        return {"local": {"path": str(self.folder / STATE_FILE)}}

    @property
    def objects(self) -> Objects:
        """The folder itself."""
        return LocalObjects(self.folder)

    @property
    def credentials(self) -> bytes:
        """A file needs none."""
        return b""

    @property
    def secrets(self) -> tuple[str, ...]:
        """There are none."""
        return ()

    def prepare(self) -> None:
        """Make the folder, for this user only."""
        make_private_directory(self.folder)


@dataclass(frozen=True, kw_only=True)
class S3State:
    """A state in a bucket, locked by a file beside it (``use_lockfile``).

    ``prefix`` is the key of the folder, with "/" at its end. The credentials are those of the bucket's account, which
    need not be the ones that Terraform's provider works with. Without ``kms_key`` the bucket's own key encrypts.
    """

    bucket: str
    prefix: str
    region: str
    objects: Objects
    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)
    kms_key: str | None = None
    endpoint_url: str | None = None

    @property
    def backend(self) -> Mapping[str, Any]:
        """Terraform's ``s3`` backend. Whose credentials these are was checked when they were taken."""
        block: dict[str, Any] = {
            "bucket": self.bucket,
            "key": f"{self.prefix}{STATE_FILE}",
            "region": self.region,
            "encrypt": True,
            "use_lockfile": True,
            "shared_credentials_files": [f"../{CREDENTIALS_FILE}"],
            "profile": CREDENTIALS_PROFILE,
            "skip_credentials_validation": True,
            "skip_requesting_account_id": True,
            "skip_metadata_api_check": True,
        }
        if self.kms_key:
            block["kms_key_id"] = self.kms_key
        if self.endpoint_url:
            block |= {"endpoints": {"s3": self.endpoint_url}, "use_path_style": True}
        return {"s3": block}

    @property
    def credentials(self) -> bytes:
        """A file as ``~/.aws/credentials`` is, with one profile."""
        lines = [
            f"[{CREDENTIALS_PROFILE}]",
            f"aws_access_key_id = {self.access_key_id}",
            f"aws_secret_access_key = {self.secret_access_key}",
        ]
        if self.session_token:
            lines.append(f"aws_session_token = {self.session_token}")
        return ("\n".join(lines) + "\n").encode()

    @property
    def secrets(self) -> tuple[str, ...]:
        """Key and token."""
        return tuple(filter(None, (self.secret_access_key, self.session_token)))

    def prepare(self) -> None:
        """The bucket is there, or the backend says that it isn't."""

"""What may be sent to the API. Whatever isn't here is refused, by its name."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from releases.domain.bakes import LONGEST_BAKE_SECONDS
from releases.domain.tickets import LONGEST

DIGEST = r"^[0-9a-f]{64}$"
_LONGEST_TEXT = 2000


class Asked(BaseModel):
    """A body: each value has its very type, and there are no further fields."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ConfigurationIn(Asked):
    """What is to be another than the users have now; the rest stays."""

    memory_size: int | None = Field(None, description="MB")
    timeout: int | None = Field(None, description="seconds")
    ephemeral_storage: int | None = Field(None, description="MB")
    reserved_concurrency: int | None = Field(None, description="-1: none is reserved")
    architectures: list[str] | None = None
    tracing_mode: str | None = None
    subnet_ids: list[str] | None = None
    security_group_ids: list[str] | None = None
    command: list[str] | None = None
    entry_point: list[str] | None = None
    working_directory: str | None = None
    environment: dict[str, str | None] = Field(
        default_factory=dict, description="Variables to set, or, with null, to remove."
    )
    secrets: dict[str, str] = Field(
        default_factory=dict, description="Variables whose values are encrypted, and never shown again."
    )


class ReleaseIn(Asked):
    """What to release, and on which way; what isn't said is as the service usually has it."""

    tag: str | None = Field(
        None, description="An image of the repository. None: the one that the users have."
    )
    digest: str | None = Field(
        None,
        pattern=r"^sha256:[0-9a-f]{64}$",
        description="Refused if the tag leads to another image by then.",
    )
    configuration: ConfigurationIn | None = None
    weights: list[int] | None = Field(None, description="Rising shares of the users, 1 to 99 percent.")
    canary: bool | None = None
    canary_addresses: list[str] | None = None
    gates: list[str] | None = Field(None, description="Steps that need an approval too, such as shift-25.")
    automatic: list[str] | None = Field(None, description="Steps that start by themselves, or “rotation”.")
    bake_seconds: int | None = Field(None, ge=0, le=LONGEST_BAKE_SECONDS)
    bakes: dict[str, int] | None = Field(None, description="Bake times of single steps, in seconds.")
    gives_up_old_version: bool = False
    reason: str = Field("", max_length=_LONGEST_TEXT)
    ticket: str = Field(
        "", max_length=LONGEST, description="Its address or key, where the policy asks for one."
    )


class ApprovalIn(Asked):
    """Which plan is approved: both digests as the release's document says them."""

    plan_sha256: str = Field(pattern=DIGEST)
    changes_digest: str = Field(pattern=DIGEST)
    comment: str = Field("", max_length=_LONGEST_TEXT)


class RejectionIn(ApprovalIn):
    """Which plan is rejected, and why."""

    comment: str = Field(min_length=1, max_length=_LONGEST_TEXT)


class CancellationIn(Asked):
    """Why a release is given up."""

    reason: str = Field("", max_length=_LONGEST_TEXT)


class RollbackIn(Asked):
    """Why everybody is brought back; it can be said later, and the next release waits for it."""

    reason: str = Field("", max_length=_LONGEST_TEXT)


def given(body: Asked) -> dict[str, Any]:
    """The fields that were sent with a value."""
    return body.model_dump(exclude_none=True, exclude_unset=True)

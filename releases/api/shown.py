"""What the API says: the same facts as the pages, under names that stay."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, Field

Sha256 = Field(pattern=r"^[0-9a-f]{64}$")


class ColorOut(BaseModel):
    """One colour of a service. ``share`` is of all users, in percent."""

    image: str
    tag: str
    share: int
    role: Literal["stable", "candidate"]
    canary: bool = Field(description="Whether the canary's addresses are sent here.")


class TrafficOut(BaseModel):
    """Who serves whom, as it was last read back from AWS."""

    blue: ColorOut
    green: ColorOut


class ServiceOut(BaseModel):
    """A service, and where its users are."""

    name: str
    environment: str
    region: str
    account_id: str
    status: str = Field(description="The word that the list of services says.")
    needs_attention: bool
    traffic: TrafficOut | None = Field(description="None before the service is set up.")
    release: int | None = Field(description="The number of the open release, else of the last one.")
    release_open: bool


class ServicePage(BaseModel):
    """Services by name; ``next`` is the address of the next page."""

    items: list[ServiceOut]
    next: str | None


class AttributeOut(BaseModel):
    """One changed attribute, as text; secret values are hidden."""

    path: str
    before: str
    after: str


class ChangeOut(BaseModel):
    """One changed resource."""

    address: str
    action: str
    attributes: list[AttributeOut]


class PlanOut(BaseModel):
    """What a step will do, or did. An approval carries both digests."""

    sha256: str
    changes_digest: str
    sentence: str
    risk: str
    changes: list[ChangeOut]


class ProblemOut(BaseModel):
    """Why a step failed."""

    code: str
    text: str


class StepOut(BaseModel):
    """One step of a release."""

    id: UUID
    title: str
    transition: str
    share: int = Field(description="What the new version has of the users when it is done, in percent.")
    gate: bool
    automatic: bool
    started: bool
    status: str
    problem: ProblemOut | None


State = Literal[
    "going_on",
    "waiting_for_approval",
    "waiting_for_start",
    "paused",
    "failed",
    "step_rejected",
    "promoted",
    "rolled_back",
    "rejected",
    "cancelled",
]


class ReleaseOut(BaseModel):
    """A release.

    ``version`` changes with whatever the document says; a request that waits names the one it has seen.
    """

    service: str
    number: int
    state: State
    open: bool
    image: str
    tag: str
    reason: str
    requested_by: str
    requested_at: datetime
    ended_at: datetime | None
    current_step: UUID | None = Field(description="The step that goes on, or waits for somebody.")
    plan: PlanOut | None = Field(description="The plan of the current step.")
    request_digest: str = Field(
        "", description="The request itself waits: an approval carries this as both of its digests."
    )
    waits_for: str = Field(description="Whose approval is missing, in words; empty where none is.")
    frozen: str = Field(description="Why nothing begins now, in words; empty where something may.")
    steps: list[StepOut]
    version: str = ""


class RollbackOut(BaseModel):
    """A press of the emergency button. Terraform follows by itself."""

    id: UUID
    safe_color: str
    pressed_at: datetime
    traffic_back_at: datetime | None = Field(description="When all users were read back as being there.")
    problem: str = Field(description="What keeps the traffic from being back; it is tried again and again.")

"""What a run that succeeded hands back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from terraform_runner.domain.plan import Plan
from terraform_runner.domain.state_identity import StateIdentity


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan that was made and is kept in the plan store. ``state`` is who the state was, None if there was none yet.

    ``plan_sha256`` names the plan file and ``document_sha256`` its JSON. ``plan`` is that JSON, so its
    sensitive values are masked; ``changes_digest`` is taken from the unmasked one. ``changes`` is what pages
    show: see ``terraform_runner.domain.diff.summarize``.
    """

    plan: Plan
    plan_sha256: str
    document_sha256: str
    changes_digest: str
    changes: Sequence[Mapping[str, Any]]
    state: StateIdentity | None = None


@dataclass(frozen=True, kw_only=True)
class Applied:
    """The outputs after an apply, by name, sensitive ones masked; and who the state is that was written."""

    outputs: Mapping[str, Any]
    state: StateIdentity | None = None

"""What a run that succeeded hands back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from terraform_runner.domain.plan import Plan
from terraform_runner.domain.state_identity import StateIdentity


@dataclass(frozen=True, kw_only=True)
class Planned:
    """A plan that was made and is kept in the plan store. ``state`` is who the state was, None if there was none yet.

    ``plan`` has everything in the clear, for those who judge it: it is never stored or shown. ``plan_sha256`` names the
    plan file and ``document_sha256`` its JSON, in which sensitive values are masked. ``changes`` is what pages show of
    that: see ``terraform_runner.domain.diff.summarize``.
    """

    plan: Plan = field(repr=False)
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

"""What a release's request asks for now, as its gate binds it."""

import hashlib
from functools import cache

from django.conf import settings

from releases.domain.approval.request_digest import RequestedStep, RequestIdentity
from releases.domain.lifecycle import StepStatus
from releases.models import Release, Service
from releases.services.execution.workspaces import MODULE
from terraform_runner.selectors import last_tools

_LEFT_OUT = [StepStatus.SKIPPED.value, StepStatus.ABANDONED.value]


def identity_of(service: Service, release: Release) -> RequestIdentity:
    """As it is now, with the steps that are left of its course; two queries.

    The versions of Terraform and its providers are those of the service's last run: a release that is planned with
    others than its request was approved with asks again before anything is applied.
    """
    steps = release.steps.exclude(status__in=_LEFT_OUT).order_by("position")
    return RequestIdentity(
        service=str(service.pk),
        release=str(release.pk),
        image=release.image,
        configuration=release.configuration,
        canary_addresses=release.canary_addresses,
        steps=[
            RequestedStep(
                transition=step.transition,
                share=step.candidate_share,
                gate=step.gate,
                automatic=step.automatic,
                bake=step.bake_seconds,
            )
            for step in steps
        ],
        versions={"module": module_digest(), **last_tools(str(service.pk))},
    )


@cache
def module_digest() -> str:
    """SHA-256 (hex) over the names and contents of the module's files: what this installation runs."""
    folder = settings.BASE_DIR / "infra" / "modules" / MODULE
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.tf")):
        digest.update(
            hashlib.sha256(path.name.encode()).digest() + hashlib.sha256(path.read_bytes()).digest()
        )
    return digest.hexdigest()

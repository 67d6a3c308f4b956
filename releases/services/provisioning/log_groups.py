"""The functions' log groups at AWS: which of them a plan has to import, and whether they keep logs as was wanted."""

from collections.abc import Mapping

from aws import log_groups
from releases.domain.observed.reality import Difference
from releases.domain.plans.expectation import Expectation
from releases.domain.provisioning.log_groups import changed, newly_managed
from releases.models import Service
from releases.services.execution.accounts import access


def to_import(service: Service, expectation: Expectation) -> dict[str, str]:
    """Names of groups that are there already, by the addresses that manage them from now on. Raises ``AwsError``."""
    wanted = newly_managed(expectation)
    there = log_groups.read_retention(access(service), list(wanted.values())) if wanted else {}
    return {address: name for address, name in wanted.items() if name in there}


def differences(service: Service, expectation: Expectation) -> tuple[Difference, ...]:
    """Which groups do not keep logs as long as this run was to make them. Raises ``AwsError``."""
    wanted = expectation.settings.after.log_retention_days if expectation.settings else None
    names = list(changed(expectation).values())
    found = log_groups.read_retention(access(service), names) if names else {}
    return tuple(
        Difference(
            what=f"days that the logs in {name} are kept", expected=str(wanted), found=_found(found, name)
        )
        for name in names
        if found.get(name) != wanted
    )


def _found(found: Mapping[str, int | None], name: str) -> str:
    days = found.get(name)
    return "no such group" if name not in found else "for ever" if days is None else str(days)

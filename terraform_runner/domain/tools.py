"""What a run was made with, so that one can say later how it came about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PROVIDER = re.compile(r'^provider "([^"]+)" \{\s+version\s+= "([^"]+)"', re.MULTILINE)


@dataclass(frozen=True, kw_only=True)
class Tools:
    """The command as it is typed, Terraform's version, and those of the providers by their sources."""

    command: str
    terraform: str
    providers: Mapping[str, str]


def providers_of(lock_file: str) -> dict[str, str]:
    """The versions by source of a dependency lock file, ``.terraform.lock.hcl``."""
    return dict(_PROVIDER.findall(lock_file))

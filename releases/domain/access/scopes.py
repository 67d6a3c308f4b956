"""What a token may be used for, and for how long: never more than its person may do, and mostly less."""

from collections.abc import Collection
from dataclasses import dataclass

from releases.domain.access.decisions import Permission

LONGEST_DAYS = 365
"""A token ends within a year: one that nobody thinks of any more must not go on for ever."""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """Which rights a token passes on, and where: on these services (ids) and in this environment, if it names any."""

    permissions: frozenset[Permission]
    service_ids: frozenset[str] | None = None
    environment: str = ""

    def within(
        self, held: Collection[Permission], *, service_id: str, environment: str
    ) -> frozenset[Permission]:
        """Those of the rights held on a service that the token passes on."""
        is_named = self.service_ids is None or service_id in self.service_ids
        reaches = is_named and self.environment in {"", environment}
        return self.permissions & frozenset(held) if reaches else frozenset()

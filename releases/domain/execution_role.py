"""The execution role of a service's functions: one that is given, or one made for it, and what that one may do."""

from enum import StrEnum


class RoleRights(StrEnum):
    """What a role that is made for a service may do; the module's README says it for each."""

    MANAGED = "managed"
    LEAST = "least"

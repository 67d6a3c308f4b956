"""The form of a new service as its page has it: what everybody fills in, and groups of what few have to change."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.forms import BoundField

from releases.forms.new_service import NewServiceForm

_USUAL = (
    *("name", "service_environment", "account_id", "region", "listener_arn", "repository_uri", "tag"),
    *("hostnames", "paths", "as_on", "approvers", "reason"),
)
_RULES = ("family", "priority", "stickiness_seconds", "tags", "log_retention_days", "provisioned_concurrency")
_ROLE = ("role_arn", "role_rights", "role_permissions_boundary")
_CANARY = ("canary_addresses", "canary_slots", "canary_header_name", "canary_header_value")
_DEFAULTS = ("weights", "bake_seconds", "settle_seconds", "rollback_window_seconds", "rotation")


@dataclass(frozen=True, kw_only=True)
class Group:
    """Fields that are folded, unless something is wrong with one of them."""

    id: str
    title: str
    hint: str
    fields: Sequence[BoundField]

    @property
    def is_open(self) -> bool:
        """Whether somebody has to look at it."""
        return any(field.errors for field in self.fields)


def usual_fields(form: NewServiceForm) -> list[BoundField]:
    """What everybody fills in."""
    return _bound(form, _USUAL)


def groups(form: NewServiceForm) -> list[Group]:
    """The rest."""
    return [
        Group(id=id_, title=title, hint=hint, fields=_bound(form, names))
        for id_, title, hint, names in (
            ("rules", "Family, rules and logs", "as usual, unless you change them", _RULES),
            ("role", "Execution role", "one is made, unless you name one", _ROLE),
            ("canary", "Canary", "who gets a new version first", _CANARY),
            ("defaults", "What releases begin with", "may be changed at any time", _DEFAULTS),
        )
    ]


def _bound(form: NewServiceForm, names: Sequence[str]) -> list[BoundField]:
    return [form[name] for name in names if name in form.fields]

"""Who has which role, where, and who gave it to them."""

from django.contrib.auth.models import Group, User
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from releases.domain.access.roles import Role
from releases.models.service import Service

ROLES = [(role.value, role.value) for role in Role]
ONE_HOLDER = models.Q(user__isnull=False, group__isnull=True) | models.Q(
    user__isnull=True, group__isnull=False
)
EVERYWHERE = models.Q(service__isnull=True, environment="")


class RoleGrant(models.Model):
    """A role of a person or a group: on one service, on all of an environment, or everywhere (neither is named).

    The rights that come of it are guardian's permissions on each service; :mod:`releases.services.access.rights` keeps
    them in step. With the person, the group or the service the grant goes too, so that nobody can inherit it.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    role = models.CharField(max_length=9, choices=ROLES)
    user = models.ForeignKey(User, models.CASCADE, null=True, blank=True, related_name="role_grants")
    group = models.ForeignKey(Group, models.CASCADE, null=True, blank=True, related_name="role_grants")
    service = models.ForeignKey(Service, models.CASCADE, null=True, blank=True, related_name="role_grants")
    environment = models.SlugField(max_length=20, blank=True)
    given_by = models.ForeignKey(User, models.SET_NULL, null=True, blank=True, related_name="+")
    given_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["role", "given_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["role", "user", "group", "service", "environment"],
                name="role_given_once",
                nulls_distinct=False,
            ),
            models.CheckConstraint(condition=ONE_HOLDER, name="role_has_one_holder"),
            models.CheckConstraint(
                condition=models.Q(service__isnull=True) | models.Q(environment=""), name="role_at_one_place"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=[role.value for role in Role]), name="role_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.role} of {self.holder} {self.place}"

    @property
    def holder(self) -> User | Group:
        """Whose role it is."""
        holder = self.user or self.group
        if holder is None:
            raise ValueError("A role belongs to a person or to a group.")
        return holder

    @property
    def place(self) -> str:
        """Where it holds, in words."""
        if self.service is not None:
            return f"on {self.service.name}"
        return f"in {self.environment}" if self.environment else "everywhere"

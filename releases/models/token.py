"""How programs sign in: by a secret that stands for a person."""

from datetime import timedelta

from django.contrib.auth.models import User
from django.db import models
from django.db.models import F
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from releases.domain.access.scopes import LONGEST_DAYS


class Token(models.Model):
    """Stands for a person, for a time and for some of their rights; of the secret itself only the SHA-256 is kept.

    ``hint`` is the secret's beginning, by which people tell their tokens apart. ``services`` are ids, so that the token
    never comes to reach another service: null is every service, and an empty list is none. ``made_by`` is who made it
    for an account that is not their own.
    """

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=60)
    hint = models.CharField(max_length=12)
    digest = models.CharField(max_length=64, unique=True)
    permissions = models.JSONField(default=list)
    services = models.JSONField(null=True, blank=True)
    environment = models.SlugField(max_length=20, blank=True)
    made_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                # The moment at which it is made is a little later than that of its transaction.
                condition=models.Q(expires_at__lte=F("created_at") + timedelta(days=LONGEST_DAYS + 1)),
                name="token_expires_within_a_year",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

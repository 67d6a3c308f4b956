"""Accounts that are no person's: programs sign in as them, by tokens."""

from django.contrib.auth.models import User
from django.db import models
from django.db.models.functions import Now

from releases.models.service import Service


class ServiceAccount(models.Model):
    """Marks an account as a program's, of one service: it has no password, and never counts as an approver.

    ``made_by`` is who made it: what it asks for, that person and whoever makes a token of it have asked for.
    """

    user = models.OneToOneField(User, models.CASCADE, primary_key=True, related_name="service_account")
    service = models.ForeignKey(Service, models.PROTECT, related_name="service_accounts")
    made_by = models.ForeignKey(User, models.PROTECT, related_name="+")
    made_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        ordering = ["made_at"]

    def __str__(self) -> str:
        return self.user.get_username()

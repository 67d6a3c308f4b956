"""Answers that are given again to a request that is sent again."""

from django.db import models
from django.db.models.functions import Now

from releases.models.token import Token


class KeptAnswer(models.Model):
    """What a token's request with this key was answered; null while it is being worked on.

    ``fingerprint`` is of the whole request, keyed, so that nobody finds a secret in it by guessing.
    """

    token = models.ForeignKey(Token, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=100)
    fingerprint = models.CharField(max_length=64)
    begun_at = models.DateTimeField(db_default=Now())
    status = models.PositiveSmallIntegerField(null=True, blank=True)
    body = models.TextField(blank=True)
    location = models.CharField(max_length=200, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["token", "key"], name="answer_once_per_key")]
        indexes = [models.Index("begun_at", name="answer_age")]

    def __str__(self) -> str:
        return f"{self.key} of {self.token_id}"

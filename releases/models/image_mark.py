"""An image that nobody should release again, of whatever service."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from releases.models.release import Release


class ImageMark(models.Model):
    """By the image's digest, wherever it is kept; it counts until somebody lifts it. ``release`` is whose."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    digest = models.CharField(max_length=71)
    release = models.ForeignKey(Release, on_delete=models.PROTECT, related_name="image_marks")
    reason = models.TextField(max_length=2000)
    marked_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    marked_at = models.DateTimeField(db_default=Now(), editable=False)
    lifted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    lifted_at = models.DateTimeField(null=True, blank=True)
    why_lifted = models.TextField(max_length=2000, blank=True)

    class Meta:
        ordering = ["marked_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["digest"],
                condition=models.Q(lifted_at__isnull=True),
                name="image_mark_one_that_counts",
            )
        ]

    def __str__(self) -> str:
        return f"mark of {self.digest[7:19]}"

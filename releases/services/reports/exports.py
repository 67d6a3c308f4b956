"""What was taken out of the application as a file, for the trail."""

from collections.abc import Mapping

from django.contrib.auth.models import User
from django.db import transaction

from audit import events
from releases.models import Release
from releases.services.lifecycle import person, record_release


@transaction.atomic
def note_record(release: Release, *, user: User, form: str) -> None:
    """Somebody has taken the change record of a release with them, in this form."""
    record_release(
        release, actor=person(user), action="release.record-exported", before={}, after={"form": form}
    )


@transaction.atomic
def note_report(asked: Mapping[str, str | list[str]], *, user: User, form: str) -> None:
    """Somebody has taken a report about this with them, in this form."""
    events.record(actor=person(user), action="report.exported", after={"asked": dict(asked), "form": form})

"""Images that were rolled back or judged bad: marked for all services, until a manager lifts the mark."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction

from releases.domain.access.decisions import Decision, Permission, Person, has_permission
from releases.models import ImageMark, Release
from releases.permissions import as_person
from releases.services.errors import ActRefused, refuse_unless
from releases.services.lifecycle import locked, now, person, record_release

_NO_FAULT = ("Pressed by mistake", "An exercise")


def blames_image(reason: str) -> bool:
    """Whether a rollback's reason says something of the image; a mistake and an exercise do not."""
    return not reason.startswith(_NO_FAULT)


def mark_of(image: str) -> ImageMark | None:
    """The mark that counts for an image, which is given by its digest."""
    digest = image.partition("@")[2]
    marks = ImageMark.objects.filter(digest=digest, lifted_at__isnull=True)
    return marks.select_related("release__service", "marked_by").first() if digest else None


def may_mark(who: Person) -> Decision:
    """Whether this person may judge an image of this service: who may roll it back."""
    return has_permission(who, Permission.EMERGENCY)


def may_lift(who: Person) -> Decision:
    """Whether this person may lift a mark that an image got in this service: who manages it."""
    return has_permission(who, Permission.MANAGE)


def mark(release: Release, *, user: User, reason: str) -> None:
    """Mark a release's image; nothing happens where it is marked already. In the caller's transaction."""
    if mark_of(release.image):
        return
    try:
        with transaction.atomic():
            ImageMark.objects.create(digest=release.digest, release=release, reason=reason, marked_by=user)
    except IntegrityError:  # of another service's release, in this moment
        return
    after = {"image": release.image}
    record_release(release, actor=person(user), action="image.marked", before={}, after=after, reason=reason)


def _refuse_without(reason: str) -> None:
    if not reason.strip():
        raise ActRefused("image:no-reason", "Say why: a mark, and its lifting, need a reason.")


@contextmanager
def _locked(release_id: UUID) -> Iterator[Release]:
    service_id = Release.objects.values_list("service_id", flat=True).get(pk=release_id)
    with locked(service_id):
        yield Release.objects.select_related("service").get(pk=release_id)


def judge(*, release_id: UUID, user: User, reason: str) -> None:
    """Mark a release's image as bad, with the reason. Raises ``ActRefused``."""
    with _locked(release_id) as release:
        refuse_unless(may_mark(as_person(user, release.service)))
        _refuse_without(reason)
        mark(release, user=user, reason=reason.strip())


def lift(*, release_id: UUID, user: User, reason: str) -> None:
    """Let a release's image be requested again, with the reason. Raises ``ActRefused``."""
    with _locked(release_id) as release:
        found = mark_of(release.image)
        refuse_unless(may_lift(as_person(user, (found.release if found else release).service)))
        if found is None:
            raise ActRefused("image:not-marked", "This image is not marked.")
        _refuse_without(reason)
        found.lifted_by, found.lifted_at, found.why_lifted = user, now(), reason.strip()
        found.save(update_fields=["lifted_by", "lifted_at", "why_lifted"])
        record_release(
            release,
            actor=person(user),
            action="image.mark-lifted",
            before={"reason": found.reason},
            after={"image": release.image},
            reason=reason,
        )

"""A tag that was moved to another image after its release was requested: the release keeps its digest, and says so."""

import logging

from aws import images
from aws.errors import AwsError
from releases.models import Release, Service, Step
from releases.services.execution.accounts import access
from releases.services.lifecycle import SYSTEM, locked, record_release

logger = logging.getLogger(__name__)


def look(service: Service, step: Step) -> None:
    """Ask AWS where the tag of a step's release leads now, and note where that is another image than the release's.

    Nothing depends on it but a warning, so that a failure is no obstacle.
    """
    release = step.release
    if release is None or not release.tag:
        return
    try:
        found = images.resolve_image(access(service), f"{service.repository_uri}:{release.tag}").digest
    except AwsError as error:
        logger.info("%s: where its tag leads is not known now: %s", release, error.message)
        return
    moved_to = "" if found == release.digest else found
    if moved_to != release.tag_moved_to:
        _note(release, moved_to)


def _note(release: Release, moved_to: str) -> None:
    with locked(release.service_id):
        before = release.tag_moved_to
        release.tag_moved_to = moved_to
        release.save(update_fields=["tag_moved_to"])
        record_release(
            release,
            actor=SYSTEM,
            action="release.tag-moved",
            before={"tag_moved_to": before},
            after={"tag_moved_to": moved_to},
        )

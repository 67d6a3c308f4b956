"""References to images in moto's ECR, resolved as Lambda resolves them."""

import re

from moto.awslambda.exceptions import InvalidParameterValueException
from moto.ecr.exceptions import RepositoryNotFoundException
from moto.ecr.models import Image, ecr_backends

_REFERENCE = re.compile(
    r"(?P<repository>(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com/(?P<name>[a-z0-9._/-]+))"
    r"(?::(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]{64}))"
)


def resolve(reference: str) -> str:
    """Return a reference by tag or digest as `<repository>@<digest>`; refuse, in AWS's words, what isn't in ECR."""
    match = _REFERENCE.fullmatch(reference)
    if not match:
        raise InvalidParameterValueException(
            f"Source image {reference} is not valid. Provide a valid source image."
        )
    images = _find(match)
    if not images:
        raise InvalidParameterValueException(
            f"Source image {reference} does not exist. Provide a valid source image."
        )
    return f"{match['repository']}@{images[0].get_image_digest()}"


def tag_of(reference: str) -> str | None:
    """Return a tag that an image has now, None if it has none or is gone."""
    match = _REFERENCE.fullmatch(reference)
    tags = [tag for image in (_find(match) if match else []) for tag in image.image_tags]
    return tags[0] if tags else None


def _find(match: re.Match[str]) -> list[Image]:
    image_id = {"imageDigest": match["digest"]} if match["digest"] else {"imageTag": match["tag"]}
    try:
        found = ecr_backends[match["account"]][match["region"]].batch_get_image(
            match["name"], image_ids=[image_id]
        )
    except RepositoryNotFoundException:
        return []
    images: list[Image] = found["images"]
    return images

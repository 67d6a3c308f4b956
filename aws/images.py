"""Container images in ECR. Bluegreen deploys digests only: a tag can be moved to another image."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from aws.errors import AwsError, in_words
from aws.session import Access, ecr

if TYPE_CHECKING:
    from mypy_boto3_ecr.type_defs import ImageDetailTypeDef, ImageIdentifierTypeDef

# Several images, one for each architecture. Lambda runs none of these, and says so only when a function is updated.
INDEXES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)


@dataclass(frozen=True, kw_only=True)
class Image:
    """An image by one of its tags ("" if it has none); ``reference`` is "<repository>@sha256:…"."""

    tag: str
    digest: str
    pushed_at: datetime
    reference: str


def list_images(access: Access, repository_uri: str) -> list[Image]:
    """The tagged images of a repository, newest first; an image with two tags is listed twice. Raises ``AwsError``."""
    account, name = _split(repository_uri)
    with in_words(f"list the images of {name}"):
        pages = (
            ecr(access)
            .get_paginator("describe_images")
            .paginate(registryId=account, repositoryName=name, filter={"tagStatus": "TAGGED"})
        )
        details = [detail for page in pages for detail in page["imageDetails"]]
    images = [
        _image(repository_uri, tag, detail) for detail in details for tag in detail.get("imageTags", [])
    ]
    return sorted(images, key=lambda image: (image.pushed_at, image.tag), reverse=True)


def resolve_image(access: Access, reference: str) -> Image:
    """The image behind "<repository>:<tag>" or "<repository>@sha256:…".

    Raises ``AwsError`` ("aws:image-missing", or "aws:image-index" for one that no function can have).
    """
    repository_uri, _, digest = reference.partition("@")
    tag = ""
    if not digest:
        repository_uri, _, tag = reference.rpartition(":")
    account, name = _split(repository_uri)
    wanted: ImageIdentifierTypeDef = {"imageDigest": digest} if digest else {"imageTag": tag}
    with _missing_in_words(reference), in_words(f"find the image {reference[:200]}"):
        answer = ecr(access).describe_images(registryId=account, repositoryName=name, imageIds=[wanted])
    detail = answer["imageDetails"][0]
    if detail.get("imageManifestMediaType") in INDEXES:
        raise AwsError(
            "aws:image-index",
            f"{reference[:200]} is an index of images for several architectures, which Lambda does not run. Push the "
            "image of the function's architecture alone: docker buildx build --platform=… --provenance=false.",
        )
    return _image(repository_uri, tag, detail)


@contextmanager
def _missing_in_words(reference: str) -> Iterator[None]:
    """ECR's own words for an image that is not there have a "null" in them."""
    try:
        yield
    except AwsError as error:
        if error.code != "aws:image-missing":
            raise
        message = f"There is no image {reference[:200]} in ECR. Push it, or choose another one."
        raise AwsError("aws:image-missing", message) from error


def _split(repository_uri: str) -> tuple[str, str]:
    """Account and name of "123456789012.dkr.ecr.eu-central-1.amazonaws.com/team/name"."""
    registry, _, name = repository_uri.partition("/")
    account = registry.partition(".")[0]
    if not (account.isdecimal() and ".dkr.ecr." in registry and name):
        raise AwsError("aws:no-repository", f"“{repository_uri[:200]}” is not an ECR repository's address.")
    return account, name


def _image(repository_uri: str, tag: str, detail: "ImageDetailTypeDef") -> Image:
    return Image(
        tag=tag,
        digest=detail["imageDigest"],
        pushed_at=detail["imagePushedAt"],
        reference=f"{repository_uri}@{detail['imageDigest']}",
    )

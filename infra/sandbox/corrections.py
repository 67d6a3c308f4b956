"""Where moto differs from AWS, mostly by being kinder: each correction is one method, and says what AWS does.

`apply_corrections` puts these classes in the place of moto's own; it must run before the first request.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any

import moto.awslambda.models
import moto.ecr.models
from moto.awslambda.exceptions import InvalidParameterValueException
from moto.awslambda.models import ImageConfig, LambdaFunction
from moto.ecr.exceptions import RepositoryNotFoundException
from moto.ecr.models import Image, ecr_backends

_IMAGE_URI = re.compile(
    r"(?P<registry>\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com)/(?P<repository>[a-z0-9._/-]+)"
    r"(?::(?P<tag>[\w.-]+)|@(?P<digest>sha256:[0-9a-f]{64}))"
)


class DigestedImage(Image):
    """An ECR image whose digest is the SHA-256 of its manifest, as the OCI specification defines it.

    moto hashes the layers' digests, or draws one of a hundred random digests where there are no layers.
    """

    def _create_digest(self) -> None:
        self._image_digest = "sha256:" + hashlib.sha256(self.image_manifest.encode()).hexdigest()


class ImageFunction(LambdaFunction):
    """A function whose image is resolved when it is set, and stays what it was in a published version."""

    def _set_function_code(self, updated_spec: dict[str, Any]) -> None:
        """Resolve the image now: AWS turns a tag into a digest at the update only, and refuses a missing one.

        `code` is replaced, never changed, because moto's published versions share it with $LATEST.
        https://docs.aws.amazon.com/lambda/latest/dg/API_UpdateFunctionCode.html
        """
        uri = updated_spec.get("ImageUri")
        if uri is None:
            super()._set_function_code(updated_spec)
        elif not updated_spec.get("DryRun"):
            repository, digest = _resolve(uri)
            self.code = {"ImageUri": uri, "ResolvedImageUri": f"{repository}@{digest}"}
            self.code_sha_256 = digest.removeprefix("sha256:")
            self.code_size = 0
        if "Architectures" in updated_spec:
            self.architectures = updated_spec["Architectures"]

    def update_configuration(self, config_updates: dict[str, Any]) -> dict[str, Any]:
        """Take over three settings that moto's own ignores, so that a plan after changing them is empty.

        https://docs.aws.amazon.com/lambda/latest/dg/API_UpdateFunctionConfiguration.html
        """
        if "EphemeralStorage" in config_updates:
            self.ephemeral_storage = config_updates["EphemeralStorage"]["Size"]
        if "ImageConfig" in config_updates:
            self.image_config = ImageConfig(config_updates["ImageConfig"])
        if "TracingConfig" in config_updates:
            self.tracing_config = config_updates["TracingConfig"]
        return super().update_configuration(config_updates)

    def get_code(self) -> dict[str, Any]:
        """Answer GetFunction with the digest that ECR knows."""
        answer = super().get_code()
        if "ResolvedImageUri" in self.code:
            answer["Code"]["ResolvedImageUri"] = self.code["ResolvedImageUri"]
        return answer

    def get_configuration(self, on_create: bool = False) -> dict[str, Any]:
        """Leave an empty ImageConfigResponse out, as AWS does: with it no plan of Terraform is empty."""
        answer = super().get_configuration(on_create)
        if not any(answer.get("ImageConfigResponse", {}).get("ImageConfig", {}).values()):
            answer.pop("ImageConfigResponse", None)
        return answer

    def invoke(
        self, body: str, request_headers: Mapping[str, str], response_headers: dict[str, str]
    ) -> str | bytes:
        """Answer without Docker, which moto's own wants, and name the version that answered."""
        if self.package_type != "Image":
            return super().invoke(body, request_headers, response_headers)
        response_headers["x-amz-executed-version"] = str(self.version)
        return json.dumps(answer_of(self))


def answer_of(function: LambdaFunction) -> dict[str, str | None]:
    """Return what an image function of the sandbox answers: which version of what it is."""
    slot = function.function_name.rpartition("-")[2]
    return {
        "version": function.code["ImageUri"],
        "digest": function.code["ResolvedImageUri"].partition("@")[2],
        "color": slot if slot in {"blue", "green"} else None,
        "function": function.function_name,
        "function_version": str(function.version),
    }


def apply_corrections() -> None:
    """Make moto create these classes wherever it creates its own."""
    moto.awslambda.models.LambdaFunction = ImageFunction  # type: ignore[misc]
    moto.ecr.models.Image = DigestedImage  # type: ignore[misc]


def _resolve(uri: str) -> tuple[str, str]:
    """Return (repository's URI, digest) of an image in ECR; refuse in AWS's words what isn't one."""
    match = _IMAGE_URI.fullmatch(uri)
    if not match:
        raise InvalidParameterValueException(
            f"Source image {uri} is not valid. Provide a valid source image."
        )
    image_id = {"imageDigest": match["digest"]} if match["digest"] else {"imageTag": match["tag"]}
    images = _find_images(match["registry"], match["repository"], image_id)
    if not images:
        raise InvalidParameterValueException(
            f"Source image {uri} does not exist. Provide a valid source image."
        )
    return f"{match['registry']}/{match['repository']}", images[0].get_image_digest()


def _find_images(registry: str, repository: str, image_id: dict[str, str]) -> list[Image]:
    account, _, _, region, *_ = registry.split(".")
    try:
        found = ecr_backends[account][region].batch_get_image(repository, image_ids=[image_id])
    except RepositoryNotFoundException:
        return []
    images: list[Image] = found["images"]
    return images

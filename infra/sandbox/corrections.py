"""Where moto differs from AWS, mostly by being kinder: each correction is one method, and says what AWS does.

`apply_corrections` puts these classes in the place of moto's own; it must run before the first request.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from ipaddress import ip_network
from typing import Any

import moto.awslambda.models
import moto.ecr.models
from moto.awslambda.exceptions import LambdaClientError
from moto.awslambda.models import ImageConfig, LambdaFunction
from moto.awslambda.responses import LambdaResponse
from moto.ecr.models import Image
from moto.elbv2.exceptions import InvalidConditionValueError
from moto.elbv2.models import ELBv2Backend

from infra.sandbox.account import ACCOUNT_ID, REGION
from infra.sandbox.images import resolve, tag_of


class DigestedImage(Image):
    """An ECR image whose digest is the SHA-256 of its manifest, as the OCI specification defines it.

    moto hashes the layers' digests, or draws one of a hundred random digests where there are no layers.
    """

    def _create_digest(self) -> None:
        self._image_digest = "sha256:" + hashlib.sha256(self.image_manifest.encode()).hexdigest()


WAKING_SECONDS = 3.0


class NotReady(LambdaClientError):
    """https://docs.aws.amazon.com/lambda/latest/dg/API_Invoke.html, "Errors"."""

    code = 502

    def __init__(self, name: str) -> None:
        super().__init__("ResourceNotReadyException", f"The function {name} is inactive.")


class ImageFunction(LambdaFunction):
    """A function whose image is resolved when it is set, and stays what it was in a published version."""

    last_update_status = "Successful"
    woken_at = 0.0

    def _set_function_code(self, updated_spec: dict[str, Any]) -> None:
        """Resolve the image now: AWS turns a tag into a digest at the update only, and refuses a missing one.

        `code` is replaced, never changed, because moto's published versions share it with $LATEST.
        https://docs.aws.amazon.com/lambda/latest/dg/API_UpdateFunctionCode.html
        """
        uri = updated_spec.get("ImageUri")
        if uri is None or updated_spec.get("DryRun"):
            super()._set_function_code(updated_spec)
            return
        self.code = {"ImageUri": uri, "ResolvedImageUri": resolve(uri)}
        self.code_sha_256 = self.digest.removeprefix("sha256:")
        self.code_size = 0
        self.architectures = updated_spec.get("Architectures", self.architectures)

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
        self.is_awake()
        answer = super().get_configuration(on_create)
        if "LastUpdateStatus" in answer:
            answer["LastUpdateStatus"] = self.last_update_status
        if not any(answer.get("ImageConfigResponse", {}).get("ImageConfig", {}).values()):
            answer.pop("ImageConfigResponse", None)
        return answer

    def invoke(
        self, body: str, request_headers: Mapping[str, str], response_headers: dict[str, str]
    ) -> str | bytes:
        """Answer without Docker, which moto's own wants, and name the version that answered.

        One that sleeps refuses, and wakes: https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html
        """
        if self.package_type != "Image":
            return super().invoke(body, request_headers, response_headers)
        if self.state == "Inactive":
            for function in family_of(self.function_name):
                function.state, function.woken_at = "Pending", time.time()
        if not self.is_awake():
            raise NotReady(self.function_name)
        response_headers["x-amz-executed-version"] = str(self.version)
        return json.dumps(self.answer())

    def is_awake(self) -> bool:
        """Whether it answers: one that was woken needs a moment."""
        if self.state == "Pending" and time.time() > self.woken_at + WAKING_SECONDS:
            self.state = "Active"
        return bool(self.state == "Active")

    @property
    def digest(self) -> str:
        """The image's digest, `sha256:…`."""
        return str(self.code["ResolvedImageUri"].partition("@")[2])

    @property
    def color(self) -> str:
        """The slot, "blue" or "green", that the function's name ends with; else ""."""
        slot = self.function_name.rpartition("-")[2]
        return slot if slot in {"blue", "green"} else ""

    def answer(self) -> dict[str, str | None]:
        """Return what this function, an image function, answers to every request: which version it is."""
        return {
            "version": self.code["ImageUri"],
            "digest": self.digest,
            "tag": tag_of(self.code["ResolvedImageUri"]),
            "color": self.color or None,
            "function": self.function_name,
            "function_version": str(self.version),
        }


def family_of(name: str) -> list[ImageFunction]:
    """A function of images and all versions that it has published. Raises UnknownFunctionException."""
    backend = moto.awslambda.models.lambda_backends[ACCOUNT_ID][REGION]
    found = [backend.get_function(name), *backend.list_versions_by_function(name)]
    return [function for function in found if isinstance(function, ImageFunction)]


def _invoke(self: LambdaResponse) -> tuple[int, dict[str, str], str | bytes]:
    """Heed Invoke's parameter `Qualifier`: moto looks for `qualifier`, so that $LATEST would always answer."""
    if "Qualifier" in self.querystring:
        self.querystring["qualifier"] = self.querystring["Qualifier"]
    answer: tuple[int, dict[str, str], str | bytes] = _moto_invoke(self)
    return answer


_moto_invoke = LambdaResponse.invoke


def _validate_source_ip(self: ELBv2Backend, condition: dict[str, Any]) -> None:
    """Refuse what isn't a CIDR block: moto takes any text.

    https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_SourceIpConditionConfig.html
    """
    _moto_validate_source_ip(self, condition)
    for cidr in condition["SourceIpConfig"]["Values"]:
        try:
            ip_network(cidr, strict=False)
        except ValueError as error:
            raise InvalidConditionValueError(f"The value '{cidr}' is not a valid CIDR block") from error


_moto_validate_source_ip = ELBv2Backend._validate_source_ip_condition


def apply_corrections() -> None:
    """Make moto use these wherever it uses its own."""
    moto.awslambda.models.LambdaFunction = ImageFunction  # type: ignore[misc]
    moto.ecr.models.Image = DigestedImage  # type: ignore[misc]
    LambdaResponse.invoke = _invoke  # type: ignore[method-assign]
    ELBv2Backend._validate_source_ip_condition = _validate_source_ip  # type: ignore[method-assign]

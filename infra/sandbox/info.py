"""What a running sandbox tells others: `sandbox.json` in its data directory."""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

FILE_NAME = "sandbox.json"


@dataclass(frozen=True, kw_only=True)
class SandboxInfo:
    """Addresses, credentials and names of a running sandbox. The credentials open nothing but it."""

    endpoint_url: str
    region: str
    account_id: str
    access_key_id: str
    secret_access_key: str
    load_balancer_name: str
    load_balancer_arn: str
    listener_arn: str
    vpc_id: str
    repository_uri: str
    images: Mapping[str, str]
    url: str
    everyone_url: str
    you_url: str
    ipv6_url: str
    pid: int

    def environment(self) -> dict[str, str]:
        """Return what Terraform and the AWS SDKs read to talk to this sandbox."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.secret_access_key,
        }


def read_info(path: Path) -> SandboxInfo:
    """Read a `sandbox.json`. Raises FileNotFoundError while the sandbox isn't ready."""
    return SandboxInfo(**json.loads(path.read_text()))


def write_info(path: Path, info: SandboxInfo) -> None:
    """Write a `sandbox.json` so that a reader sees all of it or nothing."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(info), indent=2) + "\n")
    os.replace(draft, path)

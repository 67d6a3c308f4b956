"""Terraform for one machine: the binary, the providers' mirror, and the CLI configuration that goes with them."""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import urllib.request
import zipfile
from collections.abc import Mapping
from pathlib import Path
from urllib.error import URLError

from infra.local.errors import LocalError
from infra.local.paths import data_dir

OLDEST = (1, 10)
PINNED = "1.11.4"
# SHA-256 of terraform_1.11.4_<platform>.zip, from terraform_1.11.4_SHA256SUMS of the release.
SHA256 = {
    "darwin_amd64": "a56d5002b9f7647291faccc3dd1a70350e60fb61e4c45037629508b8fdc2575b",
    "darwin_arm64": "867e0808fa971217043e25b7a792b10720c79b1546f8a68479b74f138be73e18",
    "linux_amd64": "1ce994251c00281d6845f0f268637ba50c0005657eb3cf096b92f753b42ef4dc",
    "linux_arm64": "a43d1d0da9b9bab214a8305a39db0e40869572594ccf50c416a7756499143633",
}
RELEASES = "https://releases.hashicorp.com/terraform"
ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
DOWNLOAD_SECONDS = 60  # for each read, not for the whole file
REGISTRY = "registry.terraform.io"
# Where Terraform itself looks for providers that were put on a machine by hand:
# https://developer.hashicorp.com/terraform/cli/config/config-file#implied-local-mirror-directories
IMPLIED_MIRRORS = (
    "~/.terraform.d/plugins",
    "~/Library/Application Support/io.terraform/plugins",
    "~/.local/share/terraform/plugins",
    "/usr/local/share/terraform/plugins",
    "/usr/share/terraform/plugins",
)


def find_binary(data_dir: Path) -> Path | None:
    """BLUEGREEN_TERRAFORM_BIN, else a new enough ``terraform`` on PATH, else the one that was downloaded.

    Raises LocalError when BLUEGREEN_TERRAFORM_BIN names one that is too old or doesn't run.
    """
    given = os.environ.get("BLUEGREEN_TERRAFORM_BIN")
    if given:
        _refuse_unusable(Path(given))
        return Path(given)
    on_path = shutil.which("terraform")
    if on_path and (_version(Path(on_path)) or (0, 0)) >= OLDEST:
        return Path(on_path)
    downloaded = _download_place(data_dir)
    return downloaded if downloaded.exists() else None


def ensure_binary(data_dir: Path, *, releases: str = RELEASES, sha256: Mapping[str, str] = SHA256) -> Path:
    """As ``find_binary``, but downloads the pinned release below ``data_dir`` when there is none.

    ``releases`` is the address below which it lies (BLUEGREEN_TERRAFORM_RELEASES, for machines behind a
    proxy). Raises LocalError when it can't be had, or when what came isn't what was pinned; nothing is kept
    then.
    """
    found = find_binary(data_dir)
    if found:
        return found
    system = _platform()
    if system not in sha256:
        raise LocalError(f"There is no pinned Terraform for {system}. {_INSTALL}")
    place = _download_place(data_dir)
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    archive = place.with_name("download.zip")
    try:
        _download(f"{releases}/{PINNED}/terraform_{PINNED}_{system}.zip", archive)
        _refuse_other_content(archive, sha256[system])
        _unpack(archive, place)
    finally:
        archive.unlink(missing_ok=True)
    return place


def find_mirror() -> Path | None:
    """BLUEGREEN_TERRAFORM_MIRROR, else one of Terraform's implied mirrors, else a folder below /opt that is one."""
    given = os.environ.get("BLUEGREEN_TERRAFORM_MIRROR")
    if given:
        return Path(given)
    places = [Path(place).expanduser() for place in IMPLIED_MIRRORS] + sorted(Path("/opt").glob("*"))
    return next((place for place in places if (place / REGISTRY).is_dir()), None)


def write_cli_config(path: Path, mirror: Path | None) -> None:
    """Writes a CLI configuration: providers that ``mirror`` holds come from there, others from the registry.

    That is how Terraform treats its implied mirrors too: of a provider in a mirror the registry isn't asked.
    """
    lines = ["disable_checkpoint = true"]
    if mirror:
        held = ", ".join(f'"{REGISTRY}/{name}"' for name in _providers(mirror))
        lines += [
            "provider_installation {",
            f'  filesystem_mirror {{\n    path    = "{mirror}"\n    include = [{held}]\n  }}',
            f"  direct {{\n    exclude = [{held}]\n  }}",
            "}",
        ]
    path.write_text("\n".join(lines) + "\n")


_INSTALL = (
    f"Install Terraform {OLDEST[0]}.{OLDEST[1]} or newer on PATH, or set BLUEGREEN_TERRAFORM_BIN to its path."
)


def _download_place(data_dir: Path) -> Path:
    return data_dir / "terraform-bin" / PINNED / "terraform"


def _providers(mirror: Path) -> list[str]:
    return sorted(f"{found.parent.name}/{found.name}" for found in (mirror / REGISTRY).glob("*/*"))


def _version(binary: Path) -> tuple[int, int] | None:
    """Major and minor version, or None if it doesn't run."""
    try:
        done = subprocess.run([binary, "version"], capture_output=True, text=True, check=False, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"Terraform v(\d+)\.(\d+)", done.stdout)
    return (int(found[1]), int(found[2])) if found else None


def _refuse_unusable(binary: Path) -> None:
    version = _version(binary)
    if version is None:
        raise LocalError(
            f"BLUEGREEN_TERRAFORM_BIN is {binary}, which isn't a Terraform that runs. {_INSTALL}"
        )
    if version < OLDEST:
        raise LocalError(
            f"BLUEGREEN_TERRAFORM_BIN is Terraform {version[0]}.{version[1]}: too old. {_INSTALL}"
        )


def _platform() -> str:
    machine = platform.machine().lower()
    return f"{platform.system().lower()}_{ARCHITECTURES.get(machine, machine)}"


def _download(address: str, archive: Path) -> None:
    try:
        with (
            urllib.request.urlopen(address, timeout=DOWNLOAD_SECONDS) as answer,  # noqa: S310 - a setting
            archive.open("wb") as file,
        ):
            shutil.copyfileobj(answer, file)
    except (URLError, OSError) as error:
        raise LocalError(f"Terraform can't be downloaded from {address}: {error}. {_INSTALL}") from error


def _refuse_other_content(archive: Path, expected: str) -> None:
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != expected:
        raise LocalError(
            f"What was downloaded as Terraform {PINNED} isn't what was pinned (SHA-256 {found}, not {expected}): "
            f"a broken download, or not the real one. Try again. {_INSTALL}"
        )


def _unpack(archive: Path, place: Path) -> None:
    unfinished = place.with_name("terraform.unfinished")
    with (
        zipfile.ZipFile(archive) as content,
        content.open("terraform") as source,
        unfinished.open("wb") as file,
    ):
        shutil.copyfileobj(source, file)
    unfinished.chmod(0o755)
    unfinished.rename(place)


if __name__ == "__main__":
    print(find_binary(data_dir()) or "terraform")

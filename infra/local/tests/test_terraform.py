import hashlib
import threading
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from infra.local import terraform
from infra.local.errors import LocalError

SYSTEM = "linux_amd64"


@pytest.fixture(autouse=True)
def machine_without_terraform(tmp_path, monkeypatch):
    """PATH has a shell and nothing else; nobody has set anything."""
    (tmp_path / "path").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.delenv("BLUEGREEN_TERRAFORM_BIN", raising=False)
    monkeypatch.delenv("BLUEGREEN_TERRAFORM_MIRROR", raising=False)
    monkeypatch.setattr("platform.system", lambda: "Linux")
    monkeypatch.setattr("platform.machine", lambda: "x86_64")


def fake_terraform(path: Path, version: str) -> Path:
    path.write_text(f"#!/bin/sh\necho 'Terraform v{version}'\necho 'on linux_amd64'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def release(tmp_path: Path) -> bytes:
    """A zip as a release is: the program and a licence."""
    program = fake_terraform(tmp_path / "released", terraform.PINNED)
    with zipfile.ZipFile(tmp_path / "release.zip", "w") as archive:
        archive.writestr("LICENSE.txt", "licence")
        archive.write(program, "terraform")
    return (tmp_path / "release.zip").read_bytes()


class Releases:
    """A local server in the place of the releases' one: answers every request with ``content``, or a part of it."""

    def __init__(self, content: bytes) -> None:
        self.content, self.sent_bytes, self.status = content, len(content), 200
        self.asked: list[str] = []
        releases = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                releases.asked.append(self.path)
                self.send_response(releases.status)
                self.send_header("Content-Length", str(len(releases.content)))
                self.end_headers()
                self.wfile.write(releases.content[: releases.sent_bytes])

            def log_message(self, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/terraform"
        self.pinned = {SYSTEM: hashlib.sha256(content).hexdigest()}


@pytest.fixture
def releases(release) -> Iterator[Releases]:
    served = Releases(release)
    threading.Thread(target=served.server.serve_forever, daemon=True).start()
    yield served
    served.server.shutdown()
    served.server.server_close()


def get(releases: Releases, data_dir: Path) -> Path:
    return terraform.ensure_binary(data_dir, releases=releases.address, sha256=releases.pinned)


def test_pinned_release_is_downloaded_once(releases, tmp_path):
    binary = get(releases, tmp_path / "data")

    assert get(releases, tmp_path / "data") == terraform.find_binary(tmp_path / "data") == binary
    assert binary.stat().st_mode & 0o111
    assert releases.asked == [f"/terraform/{terraform.PINNED}/terraform_{terraform.PINNED}_{SYSTEM}.zip"]


def test_other_content_than_pinned_is_refused_and_not_kept(releases, tmp_path):
    releases.pinned = {SYSTEM: "0" * 64}

    with pytest.raises(LocalError, match="isn't what was pinned"):
        get(releases, tmp_path / "data")
    assert [path for path in (tmp_path / "data").rglob("*") if path.is_file()] == []


def test_download_that_breaks_off_is_refused_and_not_kept(releases, tmp_path):
    releases.sent_bytes = len(releases.content) // 2

    with pytest.raises(LocalError, match=r"isn't what was pinned|can't be downloaded"):
        get(releases, tmp_path / "data")
    assert terraform.find_binary(tmp_path / "data") is None


def test_download_that_is_refused_says_what_to_install(releases, tmp_path):
    releases.status = 403

    with pytest.raises(LocalError, match=r"can't be downloaded(.|\n)*Install Terraform 1\.10"):
        get(releases, tmp_path / "data")


def test_download_continues_after_a_failed_one(releases, tmp_path):
    releases.sent_bytes = 10
    with pytest.raises(LocalError):
        get(releases, tmp_path / "data")

    releases.sent_bytes = len(releases.content)

    assert get(releases, tmp_path / "data").exists()


def test_machine_of_another_kind_is_told_to_install_it(releases, tmp_path, monkeypatch):
    monkeypatch.setattr("platform.machine", lambda: "riscv64")

    with pytest.raises(LocalError, match="no pinned Terraform for linux_riscv64"):
        get(releases, tmp_path / "data")


@pytest.mark.parametrize("version", ["1.10.0", "1.11.4", "2.0.0"])
def test_new_enough_terraform_on_path_is_taken(releases, tmp_path, version):
    installed = fake_terraform(tmp_path / "path/terraform", version)

    assert get(releases, tmp_path / "data") == installed
    assert releases.asked == []


@pytest.mark.parametrize("version", ["0.15.5", "1.9.8"])
def test_terraform_on_path_that_is_too_old_is_passed_over(releases, tmp_path, version):
    fake_terraform(tmp_path / "path/terraform", version)

    assert get(releases, tmp_path / "data").is_relative_to(tmp_path / "data")


def test_setting_goes_before_path(tmp_path, monkeypatch):
    fake_terraform(tmp_path / "path/terraform", "1.12.0")
    chosen = fake_terraform(tmp_path / "chosen", "1.10.5")
    monkeypatch.setenv("BLUEGREEN_TERRAFORM_BIN", str(chosen))

    assert terraform.find_binary(tmp_path) == chosen


def test_setting_that_names_an_old_one_is_refused(tmp_path, monkeypatch):
    monkeypatch.setenv("BLUEGREEN_TERRAFORM_BIN", str(fake_terraform(tmp_path / "old", "1.9.0")))

    with pytest.raises(LocalError, match=r"Terraform 1\.9: too old"):
        terraform.find_binary(tmp_path)


@pytest.mark.parametrize("content", [None, "#!/bin/sh\nexit 1\n", "#!/bin/sh\necho OpenTofu v1.11.0\n"])
def test_setting_that_names_something_else_is_refused(tmp_path, monkeypatch, content):
    if content:
        (tmp_path / "chosen").write_text(content)
        (tmp_path / "chosen").chmod(0o755)
    monkeypatch.setenv("BLUEGREEN_TERRAFORM_BIN", str(tmp_path / "chosen"))

    with pytest.raises(LocalError, match="isn't a Terraform that runs"):
        terraform.find_binary(tmp_path)


def test_program_that_may_not_be_run_is_refused(tmp_path, monkeypatch):
    fake_terraform(tmp_path / "chosen", "1.11.4").chmod(0o644)
    monkeypatch.setenv("BLUEGREEN_TERRAFORM_BIN", str(tmp_path / "chosen"))

    with pytest.raises(LocalError, match="isn't a Terraform that runs"):
        terraform.find_binary(tmp_path)


def test_mirror_is_the_setting_else_an_implied_one(tmp_path, monkeypatch):
    monkeypatch.setattr(terraform, "IMPLIED_MIRRORS", (str(tmp_path / "none"), str(tmp_path / "implied")))
    (tmp_path / "implied" / terraform.REGISTRY).mkdir(parents=True)

    assert terraform.find_mirror() == tmp_path / "implied"
    monkeypatch.setenv("BLUEGREEN_TERRAFORM_MIRROR", "/elsewhere")
    assert terraform.find_mirror() == Path("/elsewhere")


def test_configuration_takes_from_the_mirror_what_it_holds_and_the_rest_from_the_registry(tmp_path):
    (tmp_path / "mirror" / terraform.REGISTRY / "hashicorp/aws/5.100.0").mkdir(parents=True)

    terraform.write_cli_config(tmp_path / "cli.tfrc", tmp_path / "mirror")

    aws = f'["{terraform.REGISTRY}/hashicorp/aws"]'
    text = (tmp_path / "cli.tfrc").read_text()
    assert f'path    = "{tmp_path}/mirror"' in text
    assert f"include = {aws}" in text
    assert f"exclude = {aws}" in text


def test_configuration_without_a_mirror_leaves_the_registry_to_terraform(tmp_path):
    terraform.write_cli_config(tmp_path / "cli.tfrc", None)

    assert (tmp_path / "cli.tfrc").read_text() == "disable_checkpoint = true\n"

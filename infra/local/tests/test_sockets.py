import socket
from pathlib import Path

import pytest

from infra.local.errors import LocalError
from infra.local.sockets import socket_folder


@pytest.fixture
def deep(tmp_path: Path) -> Path:
    """A folder whose path leaves no room for a socket's name."""
    return tmp_path / ("d" * 100)


@pytest.fixture
def short_temporary(tmp_path_factory: pytest.TempPathFactory, monkeypatch) -> Path:
    folder = tmp_path_factory.mktemp("t")
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    return folder


def test_socket_lies_where_it_is_wanted_in_a_private_folder(tmp_path):
    folder = socket_folder(tmp_path / "wanted", "s")

    assert folder == tmp_path / "wanted"
    assert folder.stat().st_mode & 0o777 == 0o700


def test_socket_can_be_bound_however_deep_the_wanted_folder_is(deep, short_temporary):
    folder = socket_folder(deep, "server.sock")

    assert folder.parent == short_temporary
    assert folder.stat().st_mode & 0o777 == 0o700
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "server.sock"))


def test_deep_folder_has_the_same_place_at_each_start_and_none_of_anothers(deep, short_temporary):
    assert socket_folder(deep, "s") == socket_folder(deep, "s")
    assert socket_folder(deep, "s") != socket_folder(deep / "other", "s")


def test_place_that_others_can_enter_is_refused(deep, short_temporary):
    socket_folder(deep, "s").chmod(0o755)

    with pytest.raises(LocalError, match="isn't a private folder"):
        socket_folder(deep, "s")


def test_place_that_leads_elsewhere_is_refused(deep, short_temporary, tmp_path):
    folder = socket_folder(deep, "s")
    folder.rmdir()
    folder.symlink_to(tmp_path)

    with pytest.raises(LocalError, match="isn't a private folder"):
        socket_folder(deep, "s")

import os
import subprocess
from pathlib import Path

import environ
import psutil
import psycopg
import pytest

from infra.local import postgres
from infra.local.errors import LocalError
from infra.local.postgres import Cluster
from infra.local.tests.small_disk import grow, read_only, small_disk
from infra.local.tests.waiting import is_gone, wait_for

pytestmark = pytest.mark.process


def connect(cluster: Cluster) -> psycopg.Connection:
    """As Django does with what django-environ makes of the URL."""
    settings = environ.Env.db_url_config(cluster.url)
    return psycopg.connect(host=settings["HOST"], user=settings["USER"], dbname=settings["NAME"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cluster with a table, stopped: tests start it, and leave it as it is."""
    folder = tmp_path_factory.mktemp("cluster with spaces")
    with postgres.running(folder) as cluster, connect(cluster) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 'é' AS letter")
    return folder


def test_data_is_there_at_the_next_start(folder):
    with postgres.running(folder) as cluster, connect(cluster) as connection:
        assert connection.execute("SELECT letter FROM kept").fetchall() == [("é",)]


def test_server_listens_on_its_socket_only(folder):
    with postgres.running(folder) as cluster, connect(cluster) as connection:
        listening = connection.execute("SHOW listen_addresses").fetchone()

    assert listening == ("",)
    assert not list(cluster.socket_dir.glob(".s.PGSQL*"))


@pytest.mark.fault
def test_killed_server_recovers_at_the_next_start(folder):
    with postgres.running(folder) as cluster, connect(cluster) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS committed ()")
        connection.commit()
        server = psutil.Process(int((cluster.data_dir / "postmaster.pid").read_text().split()[0]))
        # A server refuses to start while one of them is left.
        below = server.children(recursive=True)
        server.kill()
        wait_for(lambda: all(is_gone(process.pid) for process in (server, *below)), "the server to be gone")

    with postgres.running(folder) as cluster, connect(cluster) as connection:
        assert connection.execute("SELECT count(*) FROM committed").fetchone() == (0,)


def test_start_that_was_killed_while_making_the_cluster_does_no_harm(tmp_path):
    (tmp_path / "data.unfinished").mkdir()
    (tmp_path / "data.unfinished/PG_VERSION").write_text("half")

    cluster = postgres.prepare(tmp_path, durable=False)

    assert (cluster.data_dir / "postgresql.conf").exists()
    assert not (tmp_path / "data.unfinished").exists()


@pytest.mark.fault
def test_a_disk_without_room_is_named_and_the_next_start_goes_on(tmp_path):
    with small_disk(tmp_path / "disk", size="8m") as disk:
        with pytest.raises(LocalError, match=r"PostgreSQL can't be made:(.|\n)*No space left on device"):
            postgres.prepare(disk / "postgres", durable=False)
        grow(disk, size="200m")
        with postgres.running(disk / "postgres", durable=False) as cluster, connect(cluster) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


@pytest.mark.fault
def test_a_disk_that_takes_nothing_is_named_and_the_next_start_goes_on(tmp_path):
    with small_disk(tmp_path / "disk", size="200m") as disk:
        for _ in ("before it is made", "afterwards"):
            with (
                read_only(disk),
                pytest.raises(LocalError, match=r"can't write to .*: Read-only file system"),
                postgres.running(disk / "postgres", durable=False),
            ):
                pass
            with postgres.running(disk / "postgres", durable=False) as cluster:
                assert cluster.is_ready()


def test_data_deeper_than_a_socket_may_be(tmp_path, tmp_path_factory, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path_factory.mktemp("t")))
    with postgres.running(tmp_path / ("d" * 100), durable=False) as cluster, connect(cluster) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_damaged_data_is_shown_in_the_servers_own_words(tmp_path):
    postgres.prepare(tmp_path, durable=False)
    (tmp_path / "data/PG_VERSION").write_text("9.6\n")

    with pytest.raises(LocalError, match=r"PostgreSQL didn't start:(.|\n)*9\.6"), postgres.running(tmp_path):
        pass


def test_root_who_cannot_become_another_user_is_told_the_ways_out(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(postgres, "AS_ORDINARY_USER", (("false",), ("no-such-program",)))

    with pytest.raises(LocalError, match=r"refuses to run as root(.|\n)*DATABASE_URL"):
        postgres.prepare(tmp_path)


def test_server_ends_with_its_owner(tmp_path):
    with postgres.running(tmp_path, durable=False) as cluster:
        assert cluster.is_ready()

    assert not cluster.is_ready()
    assert subprocess.run(["pgrep", "-f", str(cluster.data_dir)], capture_output=True).stdout == b""

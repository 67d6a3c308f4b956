import pytest
import redis
from kombu import Connection

from infra.local import valkey

pytestmark = pytest.mark.process


def test_celery_reaches_it_by_its_url(tmp_path):
    with valkey.running(tmp_path / "with spaces") as broker, Connection(broker.url) as connection:
        queue = connection.SimpleQueue("work")
        queue.put({"id": 7})

        assert queue.get(timeout=10).payload == {"id": 7}


def test_it_listens_on_its_socket_only_and_writes_nothing(tmp_path):
    with valkey.running(tmp_path) as broker, redis.Redis(unix_socket_path=str(broker.socket)) as client:
        client.set("queued", "once")

        assert client.config_get("port") == {"port": "0"}
        assert broker.socket.stat().st_mode & 0o777 == 0o700

    assert [path.name for path in tmp_path.iterdir()] == ["server.log"]
    assert not broker.is_ready()

"""Celery's application: what of its broker's library has to be otherwise."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from kombu import Connection

from bluegreen.celery import app


@pytest.fixture
def connection(valkey_url: str) -> Iterator[Connection]:
    with Connection(valkey_url, transport_options=app.conf.broker_transport_options) as made:
        yield made


def test_a_connection_that_is_lost_with_a_message_in_hand_can_be_closed(connection: Connection):
    """The worker would end there: kombu wants to give the message back, by a connection that it has forgotten."""
    queue: Any = connection.SimpleQueue(f"lost-{socket.gethostname()}")
    queue.put({})
    queue.get(timeout=10)
    channel = queue.consumer.channel
    channel._disconnect_pools()
    kept, channel.connection.client = channel.connection.client, None
    connection.maybe_close_channel(channel)
    assert channel.closed
    channel.connection.client = kept

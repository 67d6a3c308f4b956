"""Pages of errors as the web process makes them."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User
from django.core.handlers.asgi import ASGIHandler
from django.db import connection

from tests.serving import session_of


async def status_of(path: str, session: str) -> int:
    scope = {
        "type": "http", "method": "GET", "path": path, "query_string": b"",
        "headers": [(b"host", b"localhost"), (b"cookie", f"sessionid={session}".encode())],
    }  # fmt: skip
    site = ApplicationCommunicator(ASGIHandler(), scope)
    await site.send_input({"type": "http.request", "body": b""})
    answer = await site.receive_output(60)
    await site.receive_output(60)
    await site.wait(60)
    return int(answer["status"])


@pytest.mark.django_db(transaction=True)
def test_a_page_of_an_error_gives_its_connection_back():
    session = session_of(User.objects.create_user("ann"))
    pooled: Any = connection
    connection.close()
    pooled.close_pool()  # those that other tests have lost
    # In a thread: a browser of another test may have left its loop running in this one.
    with ThreadPoolExecutor() as elsewhere:
        assert elsewhere.submit(asyncio.run, status_of("/services/no-such/", session)).result() == 404
    told = pooled.pool.get_stats()
    assert told["pool_size"] == told["pool_available"] > 0

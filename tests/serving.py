"""The site under its real server, in a thread of the test: on a free port, with the test's database."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import uvicorn
from django.contrib.auth.models import User
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.core.asgi import get_asgi_application
from django.test import Client


def bound_socket() -> socket.socket:
    """A free port, taken."""
    place = socket.socket()
    place.bind(("127.0.0.1", 0))
    return place


@contextmanager
def serving(place: socket.socket | None = None) -> Iterator[str]:
    """Gives the site's address. Tests that use it need real transactions (``django_db(transaction=True)``).

    A ``place`` stays taken when the server ends, so that it can come back to it.
    """
    config = uvicorn.Config(
        ASGIStaticFilesHandler(get_asgi_application()),
        lifespan="off",
        log_level="warning",
        timeout_graceful_shutdown=1,
    )
    server = uvicorn.Server(config)
    with place.dup() if place else bound_socket() as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join()


def session_of(user: User) -> str:
    """Signs somebody in; gives the session's key, which is the cookie's value."""
    client = Client()
    client.force_login(user)
    return str(client.session.session_key)

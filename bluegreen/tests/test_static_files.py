"""Static files as the web process serves them."""

import asyncio
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from asgiref.testing import ApplicationCommunicator
from django.core.handlers.asgi import ASGIHandler


@pytest.fixture
def style(settings, tmp_path) -> Path:
    settings.STATIC_ROOT = tmp_path
    file = tmp_path / "app.css"
    file.write_text("body { color: green }")
    return file


def ask(method: str, *headers: tuple[bytes, bytes]) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body; a warning fails the test."""

    async def answer() -> tuple[Any, Any]:
        scope = {
            "type": "http", "method": method, "path": "/static/app.css", "query_string": b"",
            "headers": [(b"host", b"localhost"), *headers],
        }  # fmt: skip
        site = ApplicationCommunicator(ASGIHandler(), scope)
        await site.send_input({"type": "http.request", "body": b""})
        return await site.receive_output(60), await site.receive_output(60)

    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="StreamingHttpResponse must consume")
        # In a thread: a browser of another test may have left its loop running in this one.
        with ThreadPoolExecutor() as elsewhere:
            start, body = elsewhere.submit(asyncio.run, answer()).result()
    assert not body.get("more_body")
    return start["status"], dict(start["headers"]), body["body"]


def test_a_file_comes_whole_without_a_warning(style):
    status, headers, body = ask("GET")
    assert (status, body) == (200, style.read_bytes())
    assert headers[b"Content-Type"].startswith(b"text/css")
    assert headers[b"Content-Length"] == str(len(body)).encode()


def test_a_head_has_the_length_alone(style):
    status, headers, body = ask("HEAD")
    assert (status, body) == (200, b"")
    assert int(headers[b"Content-Length"]) == style.stat().st_size


def test_a_browser_that_has_it_gets_nothing_again(style):
    _, headers, _ = ask("GET")
    status, again, body = ask("GET", (b"if-modified-since", headers[b"Last-Modified"]))
    assert (status, body) == (304, b"")
    assert b"Content-Type" not in again


def test_a_part_of_it_can_be_asked_for(style):
    status, headers, body = ask("GET", (b"range", b"bytes=0-3"))
    assert (status, body, headers[b"Content-Range"]) == (206, b"body", b"bytes 0-3/21")

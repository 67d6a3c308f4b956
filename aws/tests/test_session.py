"""Clients: made once, shared by threads, patient within bounds."""

import dataclasses
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from aws.errors import AwsError
from aws.load_balancer import read_rules
from aws.session import _clients, connect, elbv2

THROTTLED = (
    b"<ErrorResponse><Error><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>"
)


@pytest.fixture
def nowhere(scripted):
    access, _ = scripted
    return access


@pytest.fixture
def throttling():
    """The address of an AWS that throttles every call, and the calls that it got."""
    calls = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            calls.append(self.path)
            self.send_response(400)
            self.send_header("content-length", str(len(THROTTLED)))
            self.end_headers()
            self.wfile.write(THROTTLED)

        def log_message(self, *_):
            """Keep the test's output clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", calls
        server.shutdown()
        thread.join()


def test_a_throttled_call_is_tried_three_times_and_then_told(nowhere, throttling):
    url, calls = throttling
    with pytest.raises(AwsError) as refused:
        read_rules(dataclasses.replace(nowhere, endpoint_url=url), ["arn"])
    assert refused.value.code == "aws:throttled"
    assert len(calls) == 3


def test_an_aws_that_is_not_there_is_told(nowhere):
    with pytest.raises(AwsError) as refused:
        read_rules(nowhere, ["arn"])
    assert refused.value.code == "aws:unreachable"


def test_a_client_is_made_once_whatever_threads_ask_for_it(nowhere):
    together = threading.Barrier(8)

    def ask(_):
        together.wait()
        return elbv2(dataclasses.replace(nowhere))

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(ask, range(8)))) == 1


def test_all_clients_of_an_access_are_made_beforehand(nowhere):
    connect(nowhere)
    assert {service for access, service in _clients if access == nowhere} == {"elbv2", "lambda", "ecr"}


def test_a_forked_process_makes_its_own_clients(nowhere):
    elbv2(nowhere)
    child = os.fork()
    if child == 0:
        os._exit(len(_clients))
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert _clients


def test_an_access_does_not_show_its_secret(nowhere):
    assert "secret_access_key" not in repr(nowhere)
    assert nowhere.secret_access_key not in repr(nowhere).replace(nowhere.access_key_id, "")

"""Posts reach the address that was checked, and no other; against real servers on this machine."""

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from releases.domain.messaging.outgoing import InvalidTarget
from releases.services.messaging import posts
from releases.services.messaging.posts import PostFailed, post


class Receiver(BaseHTTPRequestHandler):
    status, location, drips = 200, "", False
    got: list[tuple[str, dict[str, str], bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.got.append((self.path, dict(self.headers), body))
        if self.drips:
            self._drip()
        self.send_response(self.status)
        if self.location:
            self.send_header("Location", self.location)
        self.end_headers()

    def _drip(self) -> None:
        """A header that never ends, a letter at a time."""
        try:
            while True:
                self.wfile.write(b"x")
                time.sleep(0.05)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def receiving(context: ssl.SSLContext | None = None, **how: object) -> Iterator[tuple[int, list]]:
    got: list = []
    handler = type("Handler", (Receiver,), {"got": got, **how})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        if context:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server.server_address[1], got
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def certificate(tmp_path) -> tuple[ssl.SSLContext, str]:
    """Of hooks.example alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hooks.example")])
    begins = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begins)
        .not_valid_after(begins + datetime.timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("hooks.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = tmp_path / "certificate.pem", tmp_path / "key.pem"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, private)
    return context, str(pem)


@pytest.fixture
def names(monkeypatch) -> dict[str, list[list[str]]]:
    """What each look-up of a name gives, one after the other."""
    answers: dict[str, list[list[str]]] = {}

    def look_up(host: str, port: int, *_: object, **__: object) -> list[tuple]:
        found = answers[host].pop(0) if host in answers else [host]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return answers


@pytest.fixture
def local(settings) -> None:
    settings.WEBHOOK_LOOPBACK = True


def test_a_post_arrives_with_its_headers_at_the_sandbox(local):
    with receiving() as (port, got):
        post(f"http://127.0.0.1:{port}/x?y=1", b"{}", headers={"Bluegreen-Signature": "v1=0"})
    ((path, headers, body),) = got
    assert (path, body, headers["Bluegreen-Signature"]) == ("/x?y=1", b"{}", "v1=0")


def test_over_https_the_name_is_what_the_certificate_and_the_host_are_about(local, names, certificate):
    context, pem = certificate
    names["hooks.example"] = [["127.0.0.1"]]
    with receiving(context) as (port, got):
        post(f"https://hooks.example:{port}/hook", b"{}", headers={}, ca_certs=pem)
    assert got[0][1]["Host"] == f"hooks.example:{port}"


def test_a_certificate_of_another_name_is_refused_and_nothing_is_sent(local, names, certificate):
    context, pem = certificate
    names["other.example"] = [["127.0.0.1"]]
    with receiving(context) as (port, got), pytest.raises(PostFailed):
        post(f"https://other.example:{port}/", b"{}", headers={}, ca_certs=pem)
    assert got == []


def test_a_name_that_leads_inside_the_second_time_is_not_looked_up_a_second_time(names, monkeypatch):
    """Rebinding: what is connected to is what was checked."""
    names["hooks.example"] = [["93.184.215.14"], ["169.254.169.254"]]
    asked = []

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        asked.append(address)
        raise OSError("not now")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with pytest.raises(PostFailed):
        post("https://hooks.example/", b"{}", headers={})
    assert asked == [("93.184.215.14", 443)]
    assert names["hooks.example"] == [["169.254.169.254"]]


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "[::1]", "10.0.0.7", "169.254.169.254", "2130706433", "0x7f.1"]
)
def test_nothing_inside_is_called(host, monkeypatch):
    def connect(*_: object, **__: object) -> None:
        raise AssertionError("it was called")

    monkeypatch.setattr("urllib3.util.connection.create_connection", connect)
    with pytest.raises((InvalidTarget, PostFailed)):
        post(f"https://{host}/", b"{}", headers={})


def test_a_redirect_is_not_followed(local):
    with receiving() as (second, reached):
        elsewhere = f"http://127.0.0.1:{second}/"
        moved = pytest.raises(PostFailed, match="answered 307")
        with receiving(status=307, location=elsewhere) as (first, _), moved:
            post(f"http://127.0.0.1:{first}/", b"{}", headers={})
    assert reached == []


@pytest.mark.parametrize("status", [400, 404, 500])
def test_an_answer_that_is_no_yes_is_a_failure(local, status):
    with receiving(status=status) as (port, _), pytest.raises(PostFailed, match=f"answered {status}"):
        post(f"http://127.0.0.1:{port}/", b"{}", headers={})


def test_a_server_that_answers_a_letter_at_a_time_is_left(local, monkeypatch):
    monkeypatch.setattr(posts, "LONGEST_SECONDS", 0.3)
    with receiving(drips=True) as (port, _), pytest.raises(PostFailed):
        post(f"http://127.0.0.1:{port}/", b"{}", headers={})


def test_a_name_that_is_not_found_is_a_failure(monkeypatch):
    def look_up(*_: object, **__: object) -> None:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    with pytest.raises(PostFailed, match="could not be looked up"):
        post("https://no.example/", b"{}", headers={})

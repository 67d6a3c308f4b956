"""The page that shows mails and posts as they were sent, and harmless."""

import json
import urllib.request

import pytest
from django.core.mail import EmailMessage
from django.core.mail.backends.filebased import EmailBackend

from infra.sandbox.mailbox import Mailbox

LINK = "http://127.0.0.1:8000/inbox/1/"


@pytest.fixture
def mailbox(tmp_path) -> Mailbox:
    return Mailbox(tmp_path)


def test_a_mail_is_shown_with_its_link_to_press(mailbox, tmp_path):
    sending = EmailBackend(file_path=str(tmp_path / "mail"))
    EmailMessage(
        "Grüße, <b>", f"Look at it:\n{LINK}\n", "b@x.example", ["a@x.example"], connection=sending
    ).send()
    page = mailbox.page()
    assert "Grüße, &lt;b&gt;" in page
    assert "mail to a@x.example" in page
    assert f'<a href="{LINK}">{LINK}</a>' in page
    assert "-----" not in page


def test_a_post_is_shown_with_its_headline_and_that_it_was_signed(mailbox):
    body = json.dumps({"text": "ledger waits", "reason": "<script>alert(1)</script>", "link": LINK})
    mailbox.receive({"Bluegreen-Signature": "v1=0"}, body.encode())
    page = mailbox.page()
    assert "<h2>ledger waits</h2>" in page
    assert "webhook, signed" in page
    assert "<script>" not in page
    assert f'href="{LINK}"' in page


@pytest.mark.parametrize("body", [b"", b"no JSON \xff", b"[1]", b'{"text": 3}'])
def test_whatever_is_posted_is_shown(mailbox, body):
    mailbox.receive({}, body)
    assert "<article>" in mailbox.page()


def test_an_empty_mailbox_says_so(mailbox):
    assert "Nothing has been sent yet." in mailbox.page()


def test_the_sandbox_takes_posts_and_shows_them(sandbox):
    asked = urllib.request.Request(
        f"{sandbox.endpoint_url}/-/sandbox/webhook", method="POST", data=b'{"text": "from a test"}'
    )
    with urllib.request.urlopen(asked) as answer:
        assert answer.status == 204
    with urllib.request.urlopen(f"{sandbox.endpoint_url}/-/sandbox/messages") as answer:
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert "<h2>from a test</h2>" in answer.read().decode()

"""The sandbox's mailbox: mails that Bluegreen has written to a folder, and posts to its webhook, on one page.

``POST /-/sandbox/webhook`` at the API's port keeps what it is sent, ``GET /-/sandbox/messages`` shows all of it.
Mails are files as Django's file backend writes them, in the folder ``mail`` of the sandbox's data directory.
"""

import email
import email.policy
import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path

MOST_SHOWN = 100
MOST_BYTES = 1_000_000
_LINK = re.compile(r"https?://[A-Za-z0-9.:/_\-\[\]?=%]+")
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Messages · sandbox</title>
<style>
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 52rem; margin: 0 auto; padding: 1rem; }}
body {{ color: #1f2937; background: #fff; }}
article {{ border: 1px solid #d1d5db; border-radius: .5rem; padding: .75rem 1rem; margin: 1rem 0; }}
h2 {{ font-size: 1.05rem; margin: 0; overflow-wrap: anywhere; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; margin: .5rem 0 0; font-size: .85rem; }}
p {{ margin: .25rem 0; color: #4b5563; }}
</style>
</head>
<body>
<main>
<h1>Messages</h1>
<p>What Bluegreen has sent: mails, and posts to the sandbox's webhook. Nothing of it has left this machine.</p>
{articles}
</main>
</body>
</html>
"""


@dataclass(frozen=True)
class Kept:
    """One message as the page shows it: when (seconds since 1970), how, to whom, what about, and the text."""

    at: float
    way: str
    to: str
    subject: str
    text: str


class Mailbox:
    """What is kept in two folders of the sandbox's data directory."""

    def __init__(self, directory: Path) -> None:
        self._mails, self._posts = directory / "mail", directory / "posts"

    def receive(self, headers: Mapping[str, str], body: bytes) -> None:
        """Keep one post, with the headers that say whose it is."""
        self._posts.mkdir(mode=0o700, parents=True, exist_ok=True)
        kept = {"headers": dict(headers), "body": body[:MOST_BYTES].decode(errors="replace")}
        (self._posts / f"{time.time_ns()}.json").write_text(json.dumps(kept))

    def page(self) -> str:
        """All messages, the newest first, as a page of HTML."""
        newest = sorted([*self._read_mails(), *self._read_posts()], key=lambda one: one.at, reverse=True)
        articles = "\n".join(map(_article, newest[:MOST_SHOWN]))
        return _PAGE.format(articles=articles or "<p>Nothing has been sent yet.</p>")

    def _read_mails(self) -> Iterator[Kept]:
        for path in self._mails.glob("*.log"):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
            body = mail.get_body(("plain",))
            text = body.get_content() if body else ""
            # After each message the file backend draws a line.
            text = text.rstrip().removesuffix("-" * 79).rstrip()
            yield Kept(path.stat().st_mtime, "mail", str(mail["To"]), str(mail["Subject"]), text)

    def _read_posts(self) -> Iterator[Kept]:
        for path in self._posts.glob("*.json"):
            kept = json.loads(path.read_text())
            subject, text = _told(kept["body"])
            signed = ", signed" if kept["headers"].get("Bluegreen-Signature") else ""
            yield Kept(path.stat().st_mtime, f"webhook{signed}", "/-/sandbox/webhook", subject, text)


def _told(body: str) -> tuple[str, str]:
    """The headline of a post, where it has one, and all of it in a form to read."""
    try:
        document = json.loads(body)
    except ValueError:
        return "(no JSON)", body
    headline = document.get("text", "") if isinstance(document, dict) else ""
    return str(headline), json.dumps(document, indent=2, ensure_ascii=False)


def _article(kept: Kept) -> str:
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(kept.at))
    text = _LINK.sub(lambda link: f'<a href="{link[0]}">{link[0]}</a>', escape(kept.text))
    return (
        f"<article><h2>{escape(kept.subject)}</h2><p>{escape(kept.way)} to {escape(kept.to)}, {when} UTC</p>"
        f"<pre>{text}</pre></article>"
    )

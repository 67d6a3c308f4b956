"""What people are told, in words: as a mail, in Slack's and Teams' incoming form, or as JSON for a program.

Whatever people have written may be in it, so that nothing of it may be markup, a header or a mention there (FAULTS P9).
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from releases.domain.visible import one_line, visible

LONGEST_SUBJECT = 150
LONGEST_TEXT = 1_000
"""Of what somebody has written, or of a failure, so many characters are told; the page has the rest."""


class MessageKind(StrEnum):
    """What people are told of."""

    GATE_WAITS = "gate_waits"
    GATE_STILL_WAITS = "gate_still_waits"
    APPROVED = "approved"
    REJECTED = "rejected"
    FAILED = "failed"
    ROLLED_BACK = "rolled_back"
    BREAK_GLASS = "break_glass"
    TEST = "test"

    @property
    def asks(self) -> bool:
        """Whether somebody is asked to decide; nobody is any more once the gate is open."""
        return self in {MessageKind.GATE_WAITS, MessageKind.GATE_STILL_WAITS}

    @property
    def may_be_unwanted(self) -> bool:
        """Whether people choose if they want it; a test goes to who asks for it."""
        return self is not MessageKind.TEST

    @property
    def label(self) -> str:
        """The kind for people."""
        return _LABELS[self]


class WebhookStyle(StrEnum):
    """The form in which a webhook takes messages."""

    JSON = "json"
    SLACK = "slack"
    TEAMS = "teams"


@dataclass(frozen=True, kw_only=True)
class Told:
    """One message's content as it is kept; `link` leads to the very thing, and is made by us."""

    kind: MessageKind
    service: str
    environment: str
    release: str = ""
    step: str = ""
    versions: str = ""
    plan: str = ""
    sentence: str = ""
    risk: str = ""
    risk_reason: str = ""
    actor: str = ""
    reason: str = ""
    link: str = ""

    @property
    def headline(self) -> str:
        """What has happened, in a line that is good for a subject."""
        parts = (self.release, "" if self.kind is MessageKind.ROLLED_BACK else self.step)
        what = ", ".join(filter(None, (f"{self.service} ({self.environment})", *parts)))
        return one_line(_HEADLINES[self.kind].format(what=what, actor=self.actor), LONGEST_SUBJECT)

    @property
    def lines(self) -> list[str]:
        """The rest of it, a line each, without the link."""
        risk = f"Risk: {self.risk}. {self.risk_reason}" if self.risk else ""
        versions = f"Version: {self.versions}" if self.versions else ""
        plan = f"Plan: {self.plan}" if self.plan else ""
        said = f"“{self.reason}”" if self.reason else ""
        texts = (self.sentence, risk, versions, plan, said)
        return [one_line(text, LONGEST_TEXT) for text in texts if text]


def to_mail(told: Told) -> tuple[str, str]:
    """Subject and plain text of a mail."""
    act = "Look at it, and decide there" if told.kind.asks else "Look at it"
    text = "\n".join([told.headline, "", *told.lines, "", f"{act}:", told.link, "", _WHY])
    return told.headline, text


def to_webhook(told: Told, style: WebhookStyle, *, message_id: str, at: str) -> bytes:
    """The body for a webhook, as JSON. `at` is when it happened, in ISO 8601."""
    if style is WebhookStyle.SLACK:
        return _dump(_slack(told))
    if style is WebhookStyle.TEAMS:
        return _dump(_teams(told))
    words = {name: visible(value) for name, value in asdict(told).items() if name not in {"kind", "link"}}
    return _dump(
        {
            "id": message_id,
            "at": at,
            "kind": told.kind.value,
            **words,
            "text": told.headline,
            "link": told.link,
        }
    )


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """HMAC-SHA256 (hex) of "<timestamp>.<body>"; whoever receives it refuses an old timestamp."""
    return hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest()


def _slack(told: Told) -> Mapping[str, Any]:
    """Plain text only, so that nothing in it is a mention or a link; the fallback is escaped as Slack asks."""
    text = "\n".join([told.headline, *told.lines])
    return {
        "text": _escape(told.headline),
        "blocks": [
            {"type": "section", "text": {"type": "plain_text", "text": text[:3_000], "emoji": False}},
            {
                "type": "actions",
                "elements": [
                    {
                        "type": "button",
                        "text": {"type": "plain_text", "text": "Look at it", "emoji": False},
                        "url": told.link,
                    }
                ],
            },
        ],
    }


def _teams(told: Told) -> Mapping[str, Any]:
    """An adaptive card; a text run, unlike a text block, knows no Markdown."""
    runs = [
        {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line, "weight": weight}]}
        for line, weight in [(told.headline, "bolder"), *((line, "default") for line in told.lines)]
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "fallbackText": told.headline,
        "body": runs,
        "actions": [{"type": "Action.OpenUrl", "title": "Look at it", "url": told.link}],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
    }


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _dump(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode()


_LABELS = {
    MessageKind.GATE_WAITS: "a plan waits for my approval",
    MessageKind.GATE_STILL_WAITS: "it still waits: a reminder",
    MessageKind.APPROVED: "my release was approved",
    MessageKind.REJECTED: "my release was rejected",
    MessageKind.FAILED: "my release, or what I started, failed",
    MessageKind.ROLLED_BACK: "my release was rolled back",
    MessageKind.BREAK_GLASS: "somebody broke the glass",
    MessageKind.TEST: "a test message",
}
_HEADLINES = {
    MessageKind.GATE_WAITS: "{what}: waits for an approval",
    MessageKind.GATE_STILL_WAITS: "{what}: still waits for an approval",
    MessageKind.APPROVED: "{what}: approved by {actor}",
    MessageKind.REJECTED: "{what}: rejected by {actor}",
    MessageKind.FAILED: "{what}: failed",
    MessageKind.ROLLED_BACK: "{what}: rolled back by {actor}",
    MessageKind.BREAK_GLASS: "{what}: {actor} broke the glass",
    MessageKind.TEST: "{what}: a test message, by {actor}",
}
_WHY = "The link decides nothing by itself. Which of these mails you get you choose under “Messages” in the inbox."

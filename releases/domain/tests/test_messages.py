import hashlib
import hmac
import json
from dataclasses import replace

import pytest

from releases.domain.messaging.messages import MessageKind, Told, WebhookStyle, signature, to_mail, to_webhook

LINK = "https://bluegreen.example/inbox/1/"
WAITS = Told(
    kind=MessageKind.GATE_WAITS,
    service="ledger",
    environment="production",
    release="R-3",
    step="Shift to 25 %",
    versions="v41 → v42",
    plan="7c1e",
    sentence="Sends 25 % of users to green · v42.",
    risk="routine",
    risk_reason="It changes 1 resource in place, as the last 5 releases did.",
    reason="Fix the VAT",
    link=LINK,
)
HOSTILE = "<!channel> *x* [a](javascript:1)\r\nBcc: rosa@example.com\u202e<script>"


def posted(told: Told, style: WebhookStyle) -> dict:
    return json.loads(to_webhook(told, style, message_id="m-1", at="2026-01-02T03:04:05+00:00"))


def test_a_mail_says_what_would_happen_how_risky_it_is_and_where_it_is_decided():
    subject, text = to_mail(WAITS)
    assert subject == "ledger (production), R-3, Shift to 25 %: waits for an approval"
    assert text.splitlines()[2:9] == [
        "Sends 25 % of users to green · v42.",
        "Risk: routine. It changes 1 resource in place, as the last 5 releases did.",
        "Version: v41 → v42",
        "Plan: 7c1e",
        "“Fix the VAT”",
        "",
        "Look at it, and decide there:",
    ]
    assert f"\n{LINK}\n" in text
    assert "The link decides nothing by itself." in text


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        (MessageKind.GATE_STILL_WAITS, "Shift to 25 %: still waits for an approval"),
        (MessageKind.APPROVED, "Shift to 25 %: approved by rosa"),
        (MessageKind.REJECTED, "Shift to 25 %: rejected by rosa"),
        (MessageKind.FAILED, "Shift to 25 %: failed"),
        (MessageKind.ROLLED_BACK, "(production), R-3: rolled back by rosa"),
        (MessageKind.BREAK_GLASS, "Shift to 25 %: rosa broke the glass"),
    ],
)
def test_each_kind_has_its_headline(kind, end):
    assert replace(WAITS, kind=kind, actor="rosa").headline.endswith(end)
    assert kind.label


def test_what_people_wrote_is_one_line_of_text_wherever_it_goes():
    told = replace(WAITS, reason=HOSTILE, actor=HOSTILE, kind=MessageKind.REJECTED)
    subject, text = to_mail(told)
    assert "\n" not in subject
    assert "\r" not in text
    assert "\u202e" not in text
    assert not any(line.startswith("Bcc:") for line in text.splitlines())


def test_slack_gets_plain_text_only_so_that_nobody_is_mentioned():
    told = replace(WAITS, actor=HOSTILE, reason=HOSTILE, kind=MessageKind.REJECTED)
    body = posted(told, WebhookStyle.SLACK)
    section, actions = body["blocks"]
    assert section["text"]["type"] == "plain_text"
    assert section["text"]["emoji"] is False
    assert "&lt;!channel&gt;" in body["text"]
    assert "<" not in body["text"]
    assert actions["elements"][0]["url"] == LINK


def test_teams_gets_runs_of_text_which_know_no_markdown():
    (attachment,) = posted(replace(WAITS, reason=HOSTILE), WebhookStyle.TEAMS)["attachments"]
    card = attachment["content"]
    kinds = {run["type"] for block in card["body"] for run in block["inlines"]}
    assert kinds == {"TextRun"}
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "Look at it", "url": LINK}]


def test_a_program_gets_every_part_by_its_name():
    body = posted(WAITS, WebhookStyle.JSON)
    assert (body["id"], body["kind"], body["link"]) == ("m-1", "gate_waits", LINK)
    assert (body["service"], body["risk"], body["plan"]) == ("ledger", "routine", "7c1e")
    assert body["text"] == WAITS.headline


def test_a_body_is_signed_with_the_time_that_it_was_sent_at():
    expected = hmac.new(b"a secret", b"1700000000.{}", hashlib.sha256).hexdigest()
    assert signature("a secret", 1_700_000_000, b"{}") == expected
    assert signature("a secret", 1_700_000_001, b"{}") != expected


def test_what_is_told_is_bounded():
    told = replace(WAITS, reason="x" * 1_000_000, actor="y" * 10_000, kind=MessageKind.REJECTED)
    assert len(told.headline) == 150
    assert all(len(line) <= 1_000 for line in told.lines)
    slack = posted(replace(told, sentence="z" * 9_000), WebhookStyle.SLACK)
    assert len(slack["blocks"][0]["text"]["text"]) <= 3_000

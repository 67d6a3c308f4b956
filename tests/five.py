"""Five people, each with one role and a browser of their own, and what each of them may not do.

Every try is made three times: the page has its button disabled and says why, the form is posted by hand, and the API
is asked with a token of theirs, where it has an operation for it.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from playwright.sync_api import APIResponse, Browser, BrowserContext, Page, expect

from tests.browser import DESK

NAMES = ("requester", "manager", "operator", "auditor", "admin")


@dataclass(frozen=True, kw_only=True)
class Try:
    """Something that somebody may not do. Addresses are below the service's, with {number} and {step} in them.

    ``button`` is the one that is disabled on the page at ``page``; "" where the page has none for it. ``api`` is the
    operation's address below the service's; "" where there is none.
    """

    form: str
    fields: Mapping[str, str] = field(default_factory=dict)
    button: str = ""
    page: str = "releases/{number}/"
    api: str = ""
    body: Mapping[str, Any] = field(default_factory=dict)


_STEP = "releases/{number}/steps/{step}"
_SHOWN = {"sha256": "{sha256}", "changes_digest": "{changes_digest}", "comment": "by hand"}
_BODY = {"plan_sha256": "{sha256}", "changes_digest": "{changes_digest}", "comment": "by hand"}
_ROLE = {"kind": "person", "name": "operator", "role": "approver", "where": "service"}
APPROVE = Try(
    button="Approve", form="steps/{step}/approve/", fields=_SHOWN, api=f"{_STEP}/approve", body=_BODY
)
IN_INBOX = Try(form="/inbox/{step}/approve/", fields=_SHOWN)
REJECT = Try(button="Reject", form="steps/{step}/reject/", fields=_SHOWN, api=f"{_STEP}/reject", body=_BODY)
START = Try(button="Start", form="steps/{step}/start/")
PAUSE = Try(button="Pause", form="releases/{number}/pause/")
SKIP = Try(button="Skip", form="steps/{step}/skip/")
SHARE = Try(button="Set the share", form="releases/{number}/share/", fields={"share": "30"})
CANCEL = Try(button="Cancel the release", form="releases/{number}/cancel/", api="releases/{number}/cancel")
REQUEST = Try(
    button="Request release",
    page="",
    form="request/",
    fields={"tag": "green", "weights": "50", "bake_seconds": "0"},
    api="releases",
    body={"tag": "green"},
)
ROLL_BACK = Try(button="Roll back …", page="", form="rollback/", api="rollback")
POLICY = Try(button="Change the policy", page="policy/", form="policy/")
GIVE_ROLE = Try(button="Give the role", page="people/", form="people/", fields=_ROLE)
TO_ONESELF = Try(form="people/", fields=_ROLE | {"name": "admin"})
BREAK_GLASS = Try(
    form="steps/{step}/break-glass/", fields=_SHOWN | {"glass_reason": "now", "typed": "{service}"}
)

OF_OPERATORS = (START, PAUSE, SKIP, SHARE)
OF_APPROVERS = (APPROVE, REJECT, IN_INBOX)
OF_MANAGERS = (POLICY, GIVE_ROLE)
FORBIDDEN: Mapping[str, tuple[Try, ...]] = {
    "requester": (*OF_APPROVERS, *OF_OPERATORS, *OF_MANAGERS, ROLL_BACK, BREAK_GLASS),
    "manager": (*OF_OPERATORS, CANCEL, BREAK_GLASS),
    "operator": (*OF_APPROVERS, *OF_MANAGERS, REQUEST, BREAK_GLASS),
    "auditor": (*OF_APPROVERS, *OF_OPERATORS, *OF_MANAGERS, CANCEL, REQUEST, ROLL_BACK, BREAK_GLASS),
    "admin": (TO_ONESELF, BREAK_GLASS),
}


@dataclass
class Five:
    """The five at the site's address; ``work`` waits until the workers have nothing left to do."""

    browser: Browser
    site: str
    service: str
    password: str
    work: Callable[[], None]
    pages: dict[str, Page] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    refused: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    def enter(self) -> None:
        """Everybody signs in, and makes a token that passes on all that they may."""
        for name in NAMES:
            context = self.browser.new_context(base_url=self.site, viewport=DESK)
            page = self.pages[name] = context.new_page()
            page.goto("/tokens/")
            page.get_by_label("Name").fill(name)
            page.get_by_label("Password").fill(self.password)
            page.get_by_role("button", name="Sign in").click()
            # The page before has a field of that name too.
            expect(page.get_by_role("button", name="Make a token")).to_be_visible()
            page.get_by_role("textbox", name="Name").fill("five")
            for box in page.get_by_role("checkbox").all():
                box.check()
            page.get_by_role("button", name="Make a token").click()
            self.tokens[name] = page.locator("#secret").inner_text()

    def leave(self) -> None:
        """Their browsers are closed."""
        for page in self.pages.values():
            page.context.close()

    def address(self, below: str = "") -> str:
        """The address of a page of the service."""
        return below if below.startswith("/") else f"/services/{self.service}/{below}"

    def ask(self, name: str, path: str, body: Any = None, token: str = "") -> APIResponse:
        """The API, as this person: a look, or, with a body, an act."""
        headers = {"Authorization": f"Bearer {token or self.tokens[name]}", "Idempotency-Key": "five"}
        address = f"/api/v1{self.address(path).rstrip('/')}"
        asked = self.pages[name].context.request
        if body is None:
            return asked.get(address, headers=headers)
        return asked.post(address, headers=headers, data=dict(body))

    def release(self) -> dict[str, Any]:
        """The only release as the API tells the auditor."""
        document: dict[str, Any] = self.ask("auditor", "releases/1").json()
        return document

    def everyone_tries(self) -> None:
        """Whatever is not theirs: nothing comes of it but events of the trail."""
        before, now = (self.ask("auditor", "").json(), self.release()), self._places()
        for name, tries in FORBIDDEN.items():
            self.pages[name].goto("/inbox/")
            for one in tries:
                self._try(name, one, now)
        self._with_less_of_a_token()
        assert (self.ask("auditor", "").json(), self.release()) == before

    def the_trail_has_every_refusal(self) -> None:
        """Each with who it was, how they came, and what they were answered."""
        found = post(
            self.pages["auditor"].context,
            "/audit/export/",
            {"as": "jsonl", "what": "access.refused", "service": self.service},
        )
        events = [json.loads(line) for line in found.text().splitlines()]
        told = Counter((one["actor_name"], one["via"], one["subject"]["answer"]) for one in events)
        assert told == self.refused
        assert all(one["reason"] for one in events)

    def _places(self) -> dict[str, str]:
        release = self.release()
        plan = release["plan"]
        return {
            "number": str(release["number"]),
            "step": release["current_step"],
            "sha256": plan["sha256"],
            "changes_digest": plan["changes_digest"],
            "service": self.service,
        }

    def _try(self, name: str, one: Try, now: Mapping[str, str]) -> None:
        page = self.pages[name]
        if one.button:
            self._look(page, self.address(one.page.format_map(now)))
            says_why(page, one.button)
        fields = {key: text.format_map(now) for key, text in one.fields.items()}
        answer = post(page.context, self.address(one.form.format_map(now)), fields)
        assert answer.status == 403, (name, one.form, answer.status)
        self.refused[name, "page", 403] += 1
        if one.api:
            body = {key: text.format_map(now) for key, text in one.body.items()}
            answer = self.ask(name, one.api.format_map(now), body)
            assert answer.status == 403, (name, one.api, answer.text())
            assert answer.headers["content-type"] == "application/problem+json"
            assert {"code", "detail", "request_id"} <= answer.json().keys()
            self.refused[name, "token", 403] += 1

    def _look(self, page: Page, address: str) -> None:
        if page.url != self.site + address:
            page.goto(address)

    def _with_less_of_a_token(self) -> None:
        """An administrator may all that the API has; with a token that passes nothing on, only look."""
        page, now = self.pages["admin"], self._places()
        page.goto("/tokens/")
        page.get_by_role("textbox", name="Name").fill("to look")
        page.get_by_role("button", name="Make a token").click()
        token = page.locator("#secret").inner_text()
        for one in (APPROVE, REJECT, ROLL_BACK, REQUEST):
            body = {key: text.format_map(now) for key, text in one.body.items()}
            assert self.ask("admin", one.api.format_map(now), body, token).status == 403
            self.refused["admin", "token", 403] += 1


def post(context: BrowserContext, address: str, fields: Mapping[str, str]) -> APIResponse:
    """A form that somebody posts by hand, with the session and the CSRF token of their browser."""
    token = next(one["value"] for one in context.cookies() if one["name"] == "csrftoken")
    return context.request.post(address, form={"csrfmiddlewaretoken": token, **fields}, max_redirects=0)


def says_why(page: Page, button: str) -> None:
    """The button cannot be pressed, and the words beside it say why."""
    found = page.get_by_role("button", name=re.compile(f"^{re.escape(button)}")).first
    expect(found).to_be_disabled()
    reason = page.locator(f"#{found.get_attribute('aria-describedby')}")
    expect(reason).to_be_visible()
    expect(reason).not_to_be_empty()

"""What three people do at their browsers, with the real Terraform, under load; ``tests.chapters`` tells it.

At each point the rules read through the API, the load balancer's counts and the pages agree; and no request of a
whole story fails, or reaches a version that it was not meant to. What differs from the demo of `make run` is given by
settings and by fields of the demo's service: how it rotates, where its state is kept, ….
"""

import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from infra.sandbox.info import SandboxInfo
from tests.browser import DESK
from tests.clients import Client
from tests.load import Load
from tests.reality import Reality
from tests.running import Bluegreen, running_bluegreen

SERVICE = "/services/nginx-lambda/"
# One step with everything around it, on a busy machine.
STEP_MS = 180_000
PRESSES = 100


@dataclass
class Story:
    """The three people, each with a browser of their own, and a page of the service and one of the sandbox.

    ``candidate`` is the colour that the next version is put on: whoever tells of a swap says that it is another one.
    ``sticky_seconds`` is how long users are kept on a colour while they are split.
    """

    browser: Browser
    bluegreen: Bluegreen
    reality: Reality
    sticky_seconds: int = 0
    candidate: str = "green"
    release: str = ""
    pages: dict[str, Page] = field(default_factory=dict)

    def enter(self, *, name: str, java_script: bool = True) -> Page:
        """Somebody signs in."""
        context = self.browser.new_context(
            base_url=self.bluegreen.address, viewport=DESK, java_script_enabled=java_script
        )
        page = context.new_page()
        page.goto(SERVICE)
        page.get_by_label("Name").fill(name)
        page.get_by_label("Password").fill(self.bluegreen.password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="nginx-lambda", exact=True)).to_be_visible()
        return page

    def wait_for_set_up(self) -> None:
        """The demo's service is set up while somebody looks at its page."""
        self.pages = {name: self.enter(name=name) for name in ("requester", "operator", "manager")}
        # Nobody touches these two: what they show was pushed.
        self.pages["service"] = self.pages["requester"].context.new_page()
        self.pages["service"].goto(SERVICE)
        self.pages["release"] = self.pages["requester"].context.new_page()
        expect(self.pages["service"].get_by_text("Request the first release")).to_be_visible(timeout=STEP_MS)

    def request(self, tag: str, *, canary: bool = True, gives_up: str = "") -> None:
        """The requester asks for a release with one share, 50 %; the old version that it gives up is named."""
        page = self.pages["requester"]
        page.goto(SERVICE)
        page.get_by_role("link", name="Request release").click()
        page.get_by_label("Image").select_option(tag)
        page.get_by_label("Shares of users").fill("50")
        page.get_by_label("Canary first").set_checked(canary)
        if gives_up:
            page.get_by_label(f"{gives_up} may go").check()
        page.get_by_role("button", name="Request this release").click()
        expect(page).to_have_url(re.compile(r"/releases/\d+/$"))
        self.release = page.url
        self.pages["release"].goto(self.release)

    def step(self, title: str, *, approve: bool = False) -> None:
        """The operator starts a step, the manager approves its plan, and everybody sees that it is done."""
        self.started()
        if approve:
            self.approved()
        self.is_done(title)

    def started(self) -> None:
        """The operator starts what can be started now."""
        page = self.pages["operator"]
        page.goto(self.release)
        page.get_by_role("button", name=re.compile("^Start ")).click(timeout=STEP_MS)
        expect(page.get_by_text("Started.")).to_be_visible()

    def approved(self) -> None:
        """The manager finds it in the inbox, which fills itself, and approves the plan after a look at it."""
        page = self.pages["manager"]
        page.goto("/inbox/")
        page.locator("#inbox-list a[href^='/inbox/']").first.click(timeout=STEP_MS)
        page.get_by_role("button", name=re.compile("^Approve plan")).click()
        expect(page.get_by_text("Approved: ")).to_be_visible()

    def is_done(self, title: str) -> None:
        """The release's page, which nobody reloads, says so."""
        stair = self.pages["release"].get_by_label("Steps").get_by_role("link", name=re.compile(f"^{title}"))
        expect(stair).to_contain_text("done", timeout=STEP_MS)

    def roll_back(self) -> float:
        """The manager presses twice, and once to say why, in a browser without JavaScript, and nothing is typed.

        Gives the moment, of the monotonic clock, at which the page has said that traffic is back.
        """
        page = self.enter(name="manager", java_script=False)
        page.get_by_role("link", name="Roll back").click()
        page.get_by_role("button", name=re.compile("^Send all PRODUCTION traffic back")).click()
        expect(page.get_by_text("Traffic is back")).to_be_visible()
        back = time.monotonic()
        page.get_by_role("button", name="An exercise").click()
        expect(page.get_by_text("“An exercise”")).to_be_visible()
        expect(page.get_by_text("Terraform agrees")).to_be_visible(timeout=STEP_MS)
        page.context.close()
        return back

    @property
    def stable(self) -> str:
        """The other colour."""
        return "blue" if self.candidate == "green" else "green"

    def agrees(self, *, share: int, canary: bool, everyone: set[str], you: set[str]) -> None:
        """The rules, the pages, the sandbox's two buttons and the load balancer's counts all say this.

        ``share`` is the candidate's, in percent.
        """
        assert self.reality.green_weight() == (share if self.candidate == "green" else 100 - share)
        assert self.reality.canary_is_on() is canary
        assert self.reality.sticky_seconds() == (self.sticky_seconds if 0 < share < 100 else 0)
        service = self.pages["service"]
        expect(service.locator(f".target-{self.candidate} .share")).to_have_text(f"{share} %")
        expect(service.locator(f".target-{self.stable} .share")).to_have_text(f"{100 - share} %")
        before = self.reality.counted()
        assert self.press("you") == you
        assert self.press("everyone") == everyone
        counted = self.reality.counted() - before
        assert set(counted) == {self.digest(tag) for tag in everyone | you}
        assert counted.total() >= 2 * PRESSES

    def press(self, who: str) -> set[str]:
        """A hundred requests from the sandbox's page; gives the tags of the images that answered."""
        page = self.pages["requester"]
        page.goto(f"{self.bluegreen.sandbox.url}/-/sandbox/")
        section = page.get_by_role("region", name=who)
        section.get_by_role("button").click()
        expect(section.get_by_role("button")).to_be_enabled()
        counts = [
            int(text.split(" of ")[0]) for text in section.get_by_text(f" of {PRESSES}").all_inner_texts()
        ]
        assert sum(counts) == PRESSES
        images = section.get_by_text("image ").all_inner_texts()
        return {text.split()[1] for text in images}

    def digest(self, tag: str) -> str:
        """The digest of an image of the demo."""
        return self.bluegreen.sandbox.images[tag].partition("@")[2]


@contextmanager
def story_under_load(
    browser: Browser,
    *,
    environment: Mapping[str, str] | None = None,
    service: Mapping[str, Any] | None = None,
    others: Callable[[SandboxInfo], Sequence[Client]] = lambda _: (),
) -> Iterator[tuple[Story, Load]]:
    """A story whose service is set up, under a load that goes on to its end; then every answer has to be right.

    ``environment`` are settings by their variable's name, ``service`` fields of ``NewService`` for the demo's service;
    ``others`` ask beside the load's usual clients.
    """
    # So that it does not depend on the machine's speed whether the old version is still to be kept.
    demo = {"rollback_window_seconds": 86_400, **(service or {})}
    given = {**(environment or {}), "BLUEGREEN_DEMO_SERVICE": json.dumps(demo)}
    # In a folder with a short name: sockets are in it.
    folder = tempfile.TemporaryDirectory(prefix="bluegreen-")
    with folder as name, running_bluegreen(Path(name, "data"), environment=given) as running:
        reality = Reality(sandbox=running.sandbox)
        sticky_seconds = demo.get("stickiness_seconds", 0)
        story = Story(browser=browser, bluegreen=running, reality=reality, sticky_seconds=sticky_seconds)
        story.wait_for_set_up()
        load = Load(sandbox=running.sandbox, target=reality.target(), others=others(running.sandbox))
        load.phase(everyone={story.digest("blue")}, you={story.digest("blue")})
        began = time.monotonic()
        with load:
            yield story, load
        assert load.wrong_answers() == []
        assert len(load.answers) >= 20 * (time.monotonic() - began)

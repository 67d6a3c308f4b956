"""A release in production whose promotion needs two, by five people in five browsers; each tries what they may not.

Once with a stand-in for Terraform and AWS, in this process; and once, much longer, with all that `make run` starts.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from playwright.sync_api import Browser, expect

from audit.events import Actor
from aws import images
from infra.local.paths import ROOT
from infra.local.tests.waiting import wait_for
from releases.management.commands.demo import PEOPLE
from releases.models import Service
from releases.services.access.roles import EVERYWHERE, Place, record_given
from releases.services.tests.conftest import image, service, world
from releases.services.tests.test_races import _messages
from releases.services.tests.world import World
from tests.five import Five, says_why
from tests.running import running_bluegreen

__all__ = ["_messages", "service", "world"]
pytestmark = pytest.mark.browser
STEP_MS = 180_000
PASSWORD = "five people, five browsers"
TESTS = Actor(id="", name="tests", via="command")


@pytest.fixture
def people(service: Service) -> dict[str, User]:
    """With the roles of the demo, by their names; the administrator is the one of the SREs, too."""
    made = {}
    for name, role in PEOPLE.items():
        made[name] = User.objects.create_user(name, password=PASSWORD)
        place = EVERYWHERE if name == "admin" else Place(service=service)
        record_given(role, made[name], place, actor=TESTS)
    made["admin"].groups.add(Group.objects.create(name="SRE"))
    return made


@pytest.mark.django_db(transaction=True)
def test_each_does_their_part_and_nothing_else(
    browser: Browser, world: World, people: dict[str, User], site: str, monkeypatch: pytest.MonkeyPatch
):
    tags = ["v2", "v1"]
    monkeypatch.setattr(images, "list_images", lambda *_: [image(None, f"shop:{tag}") for tag in tags])
    five = Five(browser=browser, site=site, service="shop", password=PASSWORD, work=world.work)
    try:
        release_by_five(five, tag="v2")
    finally:
        five.leave()
    assert world.green_weight() == 100


@pytest.fixture
def started() -> Iterator[tuple[str, str]]:
    """Everything, with the administrator among the SREs; gives its address and the people's password."""
    with tempfile.TemporaryDirectory(prefix="bluegreen-") as folder:
        data = Path(folder, "data")
        with running_bluegreen(data, environment={}) as running:
            subprocess.run(
                [sys.executable, "-m", "infra.local.manage", "add_person", "admin", "--group", "SRE"],
                cwd=ROOT,
                env={**os.environ, "BLUEGREEN_DATA_DIR": str(data)},
                check=True,
            )
            yield running.address, running.password


@pytest.mark.terraform
@pytest.mark.long
def test_each_does_their_part_and_nothing_else_with_the_real_terraform(
    browser: Browser, started: tuple[str, str]
):
    address, password = started
    five = Five(browser=browser, site=address, service="nginx-lambda", password=password, work=lambda: None)
    try:
        release_by_five(five, tag="green")
    finally:
        five.leave()


def release_by_five(five: Five, *, tag: str) -> None:
    """From the policy to the record, with what everybody may not at each of its two gates."""
    five.enter()
    two_for_the_promotion(five)
    request(five, tag)
    start(five)
    wait_for_approval(five, "Canary")
    five.everyone_tries()
    approve(five, "manager")
    start(five)
    start(five)
    wait_for_approval(five, "Promote")
    approve(five, "manager")
    says_why(five.pages["manager"], "Approve")
    five.everyone_tries()
    approve(five, "admin")
    start(five)
    wait_until(five, lambda release: release["state"] == "promoted", "the promotion")
    the_record_is_whole(five)
    five.the_trail_has_every_refusal()


def two_for_the_promotion(five: Five) -> None:
    """The administrator says so on the page of the service's policy."""
    page = five.pages["admin"]
    page.goto(five.address("policy/"))
    page.get_by_label("The promotion: who approves").fill("anybody\nSRE")
    page.get_by_role("button", name="Change the policy").click()
    expect(page.get_by_text("Changed: it counts at once.")).to_be_visible()


def request(five: Five, tag: str) -> None:
    """The requester asks for a release with one share, 50 %."""
    page = five.pages["requester"]
    page.goto(five.address())
    page.get_by_role("link", name="Request release").click(timeout=STEP_MS)
    page.get_by_label("Image").select_option(tag)
    page.get_by_label("Shares of users").fill("50")
    page.get_by_label("Bake time after each step").fill("0")
    page.get_by_role("button", name="Request this release").click()
    expect(page).to_have_url(re.compile(r"/releases/\d+/$"))
    five.work()


def start(five: Five) -> None:
    """The operator starts what can be started now."""
    page = five.pages["operator"]
    page.goto(five.address("releases/1/"))
    page.get_by_role("button", name=re.compile("^Start ")).click(timeout=STEP_MS)
    expect(page.get_by_text("Started.")).to_be_visible()
    five.work()


def approve(five: Five, name: str) -> None:
    """Somebody approves the plan that waits, with a look at it, on the release's page."""
    page = five.pages[name]
    page.goto(five.address("releases/1/"))
    page.get_by_label("Comment").fill(f"{name} has looked")
    page.locator("#approve").click()
    expect(page.get_by_text("Approved.", exact=True)).to_be_visible()
    five.work()


def wait_for_approval(five: Five, title: str) -> None:
    """The step's plan is there, and somebody is asked."""

    def waits(release: dict[str, Any]) -> bool:
        current = [one["title"] for one in release["steps"] if one["id"] == release["current_step"]]
        return bool(release["waits_for"] and release["plan"]) and current[0].startswith(title)

    wait_until(five, waits, f"the plan of {title}")


def wait_until(five: Five, condition: Callable[[dict[str, Any]], bool], what: str) -> None:
    """The release is as it should be; a token may not ask all the time."""

    def is_so() -> bool:
        time.sleep(1)
        return condition(five.release())

    wait_for(is_so, what, seconds=180)


def the_record_is_whole(five: Five) -> None:
    """Who asked, who agreed to exactly what, what ran, and what came of it; and its page says so to the auditor."""
    page = five.pages["auditor"]
    record = page.context.request.get(five.address("releases/1/record.json")).json()
    assert (record["requested_by"], record["status"].casefold()) == ("requester", "promoted")
    steps = {one["plan_sha256"]: one["title"] for one in record["steps"] if one["plan_sha256"]}
    agreed = [(steps[one["plan_sha256"]], one["by"], one["comment"]) for one in record["approvals"]]
    assert agreed == [
        ("Canary", "manager", "manager has looked"),
        ("Promote", "manager", "manager has looked"),
        ("Promote", "admin", "admin has looked"),
    ]
    assert {one["started_by"] for one in record["steps"]} == {"operator"}
    page.goto(five.address("releases/1/record/"))
    for name in ("requester", "manager", "admin", "operator"):
        expect(page.get_by_text(name).first).to_be_visible()

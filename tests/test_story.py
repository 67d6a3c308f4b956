"""The README's first release and the next ones; and the same life with the choices that a service has."""

from collections import Counter

import pytest
from playwright.sync_api import Browser

from infra.local.tests.waiting import wait_for
from infra.sandbox.account import ACCOUNT_ID, REGION
from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import client
from tests.chapters import (
    promoted,
    rotated_after_promotion,
    shown_and_taken_back,
    shown_to_half,
    taken_back,
)
from tests.clients import EVERYONE, YOU, Client
from tests.course import course_changed, set_share
from tests.story import Story, story_under_load

HEADER = {"name": "X-Canary", "value": "who_knows_this_is_a_tester"}
# The fourth is in the second rule.
ADDRESSES = ["127.0.0.9", "203.0.113.7", "198.51.100.0/24", "2001:db8::9"]


def people_with_cookies(sandbox: SandboxInfo) -> list[Client]:
    """So many that some of them come to the new version when half of the users do."""
    url, address = sandbox.everyone_url, "127.0.1.1"
    return [Client(name="with cookies", audience=EVERYONE, url=url, address=address, people=20)]


def behind_a_cdn(sandbox: SandboxInfo) -> list[Client]:
    """Testers whom one knows by the header or by an IPv6 address, and somebody who has guessed the header wrong."""
    proxy, right, wrong = "127.0.1.1", HEADER["value"], HEADER["value"][:-1]
    url = sandbox.everyone_url
    return [
        Client(name="header", audience=YOU, url=url, address=proxy, headers={"x-canary": right}),
        Client(name="IPv6", audience=YOU, url=sandbox.ipv6_url, address="2001:db8::9"),
        Client(name="wrong header", audience=EVERYONE, url=url, address=proxy, headers={"X-Canary": wrong}),
    ]


def folders_of(story: Story) -> Counter[str]:
    """How many objects each folder of the bucket has."""
    listed = client(story.bluegreen.sandbox, "s3").list_objects_v2(Bucket="bluegreen-story")
    return Counter(one["Key"].partition("/")[0] for one in listed["Contents"])


@pytest.mark.browser
@pytest.mark.terraform
def test_releases_by_three_people_under_load(browser: Browser):
    with story_under_load(browser) as (story, load):
        shown_and_taken_back(story, load, old="blue", new="green")
        promoted(story, load, old="blue", new="green")
        rotated_after_promotion(story, old="blue", now="green", new="yellow")


@pytest.mark.browser
@pytest.mark.terraform
@pytest.mark.long
def test_releases_of_a_service_whose_colours_swap(browser: Browser):
    with story_under_load(browser, service={"rotation": "swap"}) as (story, load):
        shown_and_taken_back(story, load, old="blue", new="green")
        promoted(story, load, old="blue", new="green")
        story.candidate = "blue"
        shown_and_taken_back(story, load, old="green", new="yellow", gives_up="blue")
        promoted(story, load, old="green", new="yellow")
        story.candidate = "green"
        rotated_after_promotion(story, old="green", now="yellow", new="blue")


@pytest.mark.browser
@pytest.mark.terraform
@pytest.mark.long
def test_a_release_whose_course_is_changed_again_and_again(browser: Browser):
    with story_under_load(browser) as (story, load):
        course_changed(story, load, old="blue", new="green")


@pytest.mark.browser
@pytest.mark.terraform
@pytest.mark.long
def test_releases_with_states_plans_and_logs_in_a_bucket(browser: Browser):
    bucket = {
        "BLUEGREEN_STORAGE_BUCKET": "bluegreen-story",
        "BLUEGREEN_STORAGE_ACCOUNT_ID": ACCOUNT_ID,
        "BLUEGREEN_STORAGE_REGION": REGION,
    }
    with story_under_load(browser, environment=bucket) as (story, load):
        shown_and_taken_back(story, load, old="blue", new="green")
        promoted(story, load, old="blue", new="green")
        rotated_after_promotion(story, old="blue", now="green", new="yellow")
        # The next step's plan is being made, and holds Terraform's lock meanwhile.
        wait_for(lambda: folders_of(story)["state"] == 2, "a state, its providers' lock file, and no lock")
        folders = folders_of(story)
    assert folders["plans"] >= 2 * 8
    assert folders["logs"] >= 2 * 8


@pytest.mark.browser
@pytest.mark.terraform
@pytest.mark.long
def test_releases_to_users_who_are_kept_by_a_cookie_until_a_rollback(browser: Browser):
    sticky = {"stickiness_seconds": 600}
    with story_under_load(browser, service=sticky, others=people_with_cookies) as (story, load):
        shown_to_half(story, load, old="blue", new="green")
        set_share(story, 20)
        story.agrees(share=20, canary=True, everyone={"blue", "green"}, you={"green"})
        assert load.met_by("with cookies") == {story.digest("blue"), story.digest("green")}
        taken_back(story, load, old="blue", new="green")
        promoted(story, load, old="blue", new="green")
        rotated_after_promotion(story, old="blue", now="green", new="yellow")


@pytest.mark.browser
@pytest.mark.terraform
@pytest.mark.long
def test_releases_behind_a_cdn_to_testers_by_header_and_by_ipv6_while_colours_swap(browser: Browser):
    service = {
        "rotation": "swap",
        "canary_addresses": ADDRESSES,
        "canary_slots": 2,
        "canary_header": HEADER,
    }
    with story_under_load(browser, service=service, others=behind_a_cdn) as (story, load):
        assert len(load.target.rule_arns) == 4
        shown_and_taken_back(story, load, old="blue", new="green")
        promoted(story, load, old="blue", new="green")
        story.candidate = "blue"
        shown_and_taken_back(story, load, old="green", new="yellow", gives_up="blue")

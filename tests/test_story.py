"""The README's first release and the next ones; and the same life with the choices that a service has."""

from collections import Counter

import pytest
from playwright.sync_api import Browser

from infra.local.tests.waiting import wait_for
from infra.sandbox.account import ACCOUNT_ID, REGION
from infra.sandbox.tests.service import client
from tests.course import course_changed
from tests.story import Story, promoted, rotated_after_promotion, shown_and_taken_back, story_under_load


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

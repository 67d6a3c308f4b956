"""The README's first release and the next ones; and the same life with the choices that a service has."""

import pytest
from playwright.sync_api import Browser

from tests.course import course_changed
from tests.story import promoted, rotated_after_promotion, shown_and_taken_back, story_under_load


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

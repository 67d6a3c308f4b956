"""A chapter of the story in which people change a release's course: with other shares than planned, and a pause."""

import re

from playwright.sync_api import expect

from tests.load import Load
from tests.story import Story


def set_share(story: Story, share: int, *, approve: bool = False) -> None:
    """The operator sets the new version's share by hand, the manager approves a higher one, and everybody sees it."""
    page = story.pages["operator"]
    page.goto(story.release)
    page.get_by_label("Users on").fill(str(share))
    page.get_by_role("button", name="Set the share").click()
    expect(page.get_by_text(f"{share} % comes next.")).to_be_visible()
    if approve:
        story.approved()
    if share < 100:
        story.is_done(f"{share} %")


def press(story: Story, button: str, said: str) -> None:
    """The operator presses a button of the release's page, which says what is done."""
    page = story.pages["operator"]
    page.goto(story.release)
    page.get_by_role("button", name=button, exact=True).click()
    expect(page.get_by_text(said)).to_be_visible()


def course_changed(story: Story, load: Load, *, old: str, new: str) -> None:
    """Up to 30 % past the plan, down to 5 % while it is paused, to nobody but the canary, and then to everyone."""
    before, after = story.digest(old), story.digest(new)
    story.request(new)
    story.step("Rotate")
    load.phase(everyone={before}, you={before, after})
    story.step("Canary", approve=True)

    load.phase(everyone={before, after}, you={after})
    set_share(story, 30, approve=True)
    story.agrees(share=30, canary=True, everyone={old, new}, you={new})

    press(story, "Pause", "Paused: nothing begins until it is resumed.")
    set_share(story, 5)
    assert story.reality.green_weight() == 5
    expect(story.pages["release"].get_by_role("heading", name="Paused")).to_be_visible()
    press(story, "Resume", "Resumed.")

    set_share(story, 0)
    load.phase(everyone={before}, you={after})
    story.agrees(share=0, canary=True, everyone={old}, you={new})
    page = story.pages["operator"]
    page.goto(story.release)
    expect(page.get_by_role("button", name="Cancel the release")).to_be_disabled()
    expect(page.get_by_text("Somebody has been sent to the new version: roll back instead.")).to_be_visible()

    load.phase(everyone={before, after}, you={before, after})
    set_share(story, 100, approve=True)
    expect(story.pages["release"].get_by_role("heading", name=re.compile("Promoted"))).to_be_visible(
        timeout=180_000
    )
    load.phase(everyone={after}, you={after})
    story.agrees(share=100, canary=False, everyone={new}, you={new})

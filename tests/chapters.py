"""Chapters of a service's life, which tests put together to stories; versions are named by their images' tags."""

from playwright.sync_api import expect

from tests.load import Load
from tests.story import Story

# For an answer that was on its way, on a machine that is busy with Terraform and a browser; a run of Terraform takes
# longer. How long the press itself takes is for the tests of the button.
BACK_SECONDS = 5


def shown_and_taken_back(story: Story, load: Load, *, old: str, new: str, gives_up: str = "") -> None:
    """The way up to half of the users, and back."""
    shown_to_half(story, load, old=old, new=new, gives_up=gives_up)
    taken_back(story, load, old=old, new=new)


def shown_to_half(story: Story, load: Load, *, old: str, new: str, gives_up: str = "") -> None:
    """Put in place, shown to the canary, then to half of the users."""
    before, after = story.digest(old), story.digest(new)
    story.request(new, gives_up=gives_up)
    story.step("Rotate")
    story.agrees(share=0, canary=False, everyone={old}, you={old})

    load.phase(everyone={before}, you={before, after})
    story.step("Canary", approve=True)
    load.phase(everyone={before}, you={after})
    story.agrees(share=0, canary=True, everyone={old}, you={new})

    load.phase(everyone={before, after}, you={after})
    story.step("50 %")
    story.agrees(share=50, canary=True, everyone={old, new}, you={new})


def taken_back(story: Story, load: Load, *, old: str, new: str) -> None:
    """Rolled back: as soon as the page says so nobody meets the new version any more."""
    before, after = story.digest(old), story.digest(new)
    load.phase(everyone={before, after}, you={before, after})
    back = story.roll_back()
    assert load.last_from(after) - back < BACK_SECONDS
    load.phase(everyone={before}, you={before})
    story.agrees(share=0, canary=False, everyone={old}, you={old})


def promoted(story: Story, load: Load, *, old: str, new: str) -> None:
    """The same image again, without a canary: its rotation has nothing to change."""
    before, after = story.digest(old), story.digest(new)
    story.request(new, canary=False)
    story.is_done("Rotate")
    load.phase(everyone={before, after}, you={before, after})
    story.step("50 %", approve=True)
    story.step("Promote", approve=True)
    load.phase(everyone={after}, you={after})
    story.agrees(share=100, canary=False, everyone={new}, you={new})


def rotated_after_promotion(story: Story, *, old: str, now: str, new: str) -> None:
    """The next release rotates first, in several steps, through which everyone stays on the promoted version."""
    story.request(new, gives_up=old)
    story.step("Rotate")
    story.agrees(share=0, canary=False, everyone={now}, you={now})
    expect(story.pages["service"].locator(f".target-{story.candidate}")).to_contain_text(new)

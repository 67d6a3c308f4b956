"""The keyboard alone is enough, and what has the focus is seen."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser import DESK, PHONE, visiting
from tests.scenes import Gate, make_gate

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

MOST_STOPS = 200
# How the focused element looks once the page has scrolled to it: its name for the test's words, whether it is marked,
# and whether the middle of what is in the window of it is covered by something else.
FOCUS = """async () => {
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
    const focused = document.activeElement;
    const box = focused.getBoundingClientRect();
    const style = getComputedStyle(focused);
    const middle = (Math.max(box.top, 0) + Math.min(box.bottom, innerHeight)) / 2;
    const top = document.elementFromPoint(box.x + box.width / 2, middle);
    return {
        id: focused.id,
        text: (focused.innerText || focused.getAttribute("aria-label") || focused.name || "").trim(),
        marked: style.outlineStyle !== "none" || style.boxShadow !== "none",
        seen: focused.contains(top),
        isBody: focused === document.body,
    };
}"""


@pytest.fixture
def gate(site) -> Gate:
    return make_gate()


def tab_to(page: Page, *, text: str = "", id: str = "") -> None:
    """Presses Tab until what is wanted has the focus."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if (text and text in focus["text"]) or (id and focus["id"] == id):
            return
    raise AssertionError(f"Tab does not lead to {text or id}")


def stops(page: Page) -> Iterator[dict[str, object]]:
    """Each place that Tab leads to, until it leaves the page."""
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(FOCUS)
        if focus["isBody"]:
            return
        yield focus


def test_an_approval_from_the_list_to_the_decision_by_keyboard_alone(browser, site, gate):
    with visiting(browser, site, gate.manager) as page:
        page.goto("/")
        tab_to(page, text="Inbox")
        page.keyboard.press("Enter")
        expect(page).to_have_title("(1) Inbox · Bluegreen")
        tab_to(page, id="comment")
        page.keyboard.type("by keyboard")
        tab_to(page, id="approve")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Approved: ")).to_be_visible()
    assert gate.step.approvals.get().comment == "by keyboard"


def test_the_first_stop_leads_past_the_header(browser, site, gate):
    with visiting(browser, site, gate.manager) as page:
        page.goto(gate.path)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.getElementById('main').contains(document.activeElement)")


@pytest.mark.parametrize("viewport", [DESK, PHONE], ids=["desk", "phone"])
@pytest.mark.parametrize("place", ["/", "/inbox/", "service", "release", "rollback/"])
def test_the_focus_is_marked_and_never_covered(browser, site, gate, viewport, place):
    service = f"/services/{gate.service.name}/"
    path = {"service": service, "release": gate.path, "rollback/": f"{service}rollback/"}.get(place, place)
    # Otherwise the page is still scrolling to what has the focus while that is looked at.
    still = {"reduced_motion": "reduce", "viewport": viewport}
    with visiting(browser, site, gate.manager, **still) as page:
        page.goto(path)
        seen = list(stops(page))
    assert seen
    assert [stop for stop in seen if not (stop["marked"] and stop["seen"])] == []

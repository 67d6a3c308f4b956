"""The page with the two buttons, in a real browser."""

from itertools import count

import pytest
from playwright.sync_api import Browser, Page, expect

from infra.sandbox.info import SandboxInfo
from infra.sandbox.tests.service import Service, client, make_service

_numbers = count(1)


@pytest.fixture
def service(sandbox: SandboxInfo) -> Service:
    """A service that sends you to green and everyone to blue."""
    number = next(_numbers)
    # A browser takes every name below localhost as this machine.
    name, host = f"page{number}", f"page{number}.localhost"
    service = make_service(sandbox, name, priority=2 * number + 1, host=host)
    client(sandbox, "elbv2").create_rule(
        ListenerArn=sandbox.listener_arn,
        Priority=2 * number,
        Conditions=[
            {"Field": "host-header", "Values": [host]},
            {"Field": "source-ip", "SourceIpConfig": {"Values": ["127.0.0.9/32"]}},
        ],
        Actions=[{"Type": "forward", "TargetGroupArn": service.groups["green"]}],
    )
    return service


@pytest.fixture
def page(browser: Browser, service: Service):
    """The page in a narrow window."""
    opened = browser.new_page(viewport={"width": 360, "height": 640})
    opened.goto(service.info.url.replace("127.0.0.1", service.host) + "/-/sandbox/")
    yield opened
    opened.close()


@pytest.mark.browser
def test_buttons_show_who_is_answered_by_which_version(page: Page, service: Service):
    for name, color in (("you", "green"), ("everyone", "blue")):
        page.keyboard.press("Tab")
        expect(page.get_by_role("button", name=f"100 requests as {name}")).to_be_focused()
        page.keyboard.press("Enter")
        result = page.locator("section").filter(has=page.get_by_role("heading", name=name))
        expect(result.get_by_text(f"{service.functions[color]}, version 1")).to_be_visible()
        expect(result.get_by_text("100 of 100")).to_be_visible()
        expect(result.get_by_text(f"image {color}")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


@pytest.mark.browser
def test_errors_are_shown_as_errors(page: Page, service: Service):
    client(service.info, "lambda").delete_function(FunctionName=service.functions["blue"])
    page.get_by_role("button", name="as everyone").click()
    expect(page.get_by_text("HTTP 502")).to_be_visible()
    expect(page.get_by_text("502 Bad Gateway")).to_be_visible()

"""What is made for paper: a report and a change record keep their tables there, and nothing is cut off at the side."""

import pytest
from django.db import transaction

from releases.domain.access.roles import Role
from releases.models import Approval, Release
from releases.services.lifecycle import SYSTEM, record_release
from releases.tests import factories
from tests.browser import visiting
from tests.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# An A4 sheet between its margins, in CSS pixels.
PAPER = {"width": 718, "height": 1046}
LONG = "Ein-sehr-langes-Wort-ohne-Leerzeichen" * 6


def test_tables_keep_their_heads_and_fit_on_paper(browser, scene, aws):
    Release.objects.update(reason=LONG, ticket=f"https://tickets.example/{LONG}")
    factories.approve(scene.canary, scene.manager)
    factories.give(scene.manager, scene.service, Role.MANAGER)
    with transaction.atomic():
        record_release(
            scene.release,
            actor=SYSTEM,
            action="release.tag-moved",
            before={},
            after={},
            reason="word " * 300,
        )
    Approval.objects.update(comment=f"{LONG} שלום 🎉", role=LONG[:200])
    record = f"/services/catalog/releases/{scene.release.number}/record/"
    with serving() as site, visiting(browser, site, scene.manager, viewport=PAPER) as page:
        page.emulate_media(media="print")
        for address in (record, "/reports/"):
            page.goto(address)
            heads = page.locator("table.trail thead")
            assert heads.count() > 0
            assert all(head.is_visible() for head in heads.all())
            assert page.evaluate("document.documentElement.scrollWidth") <= PAPER["width"]
        page.goto(record)
        assert page.locator("table.trail thead").count() == 2
        assert page.locator(".trail-hash").evaluate("cell => cell.offsetWidth") > PAPER["width"] / 4

"""What people have written is shown so that nothing of it hides, turns the text round or is markup (FAULTS P9, P10)."""

import pytest
from django.db import transaction

from audit.events import record
from releases.domain.access.decisions import Permission
from releases.models import Approval, Release, Step
from releases.permissions import grant
from releases.services.lifecycle import person

ODD = "fix\u202etxt.exe\u2066 <b>p\u0430ypal</b>"
RELEASE = "/services/{service}/releases/{number}/"
PAGES = [
    "/",
    "/inbox/",
    "/inbox/?view=done",
    "/audit/",
    "/reports/",
    "/services/{service}/",
    "/services/{service}/people/",
    "/services/{service}/programs/",
    "/services/{service}/settings/",
    RELEASE,
    f"{RELEASE}?tab=log",
    f"{RELEASE}record/",
]


@pytest.fixture
def odd_scene(scene):
    """A release whose reason, comment and event have such words."""
    grant(scene.manager, scene.service, *Permission)
    run = Step.objects.get(pk=scene.canary.pk).plan_run
    assert run
    Approval.objects.create(
        step=scene.canary,
        plan_run=run,
        plan_sha256=run.plan_sha256,
        changes_digest=run.changes_digest,
        epoch=scene.service.epoch,
        decision="approved",
        decided_by=scene.manager,
        role=ODD,
        comment=ODD,
    )
    Release.objects.update(reason=ODD, ticket=ODD)
    with transaction.atomic():
        record(
            actor=person(scene.manager),
            action="release.paused",
            service_id=str(scene.service.pk),
            subject={"release": str(scene.release.pk)},
            reason=ODD,
        )
    return scene


@pytest.mark.parametrize("address", PAGES)
def test_odd_words_are_text_whose_signs_are_all_seen(odd_scene, as_user, address):
    path = address.format(service=odd_scene.service.name, number=odd_scene.release.number)
    answer = as_user(odd_scene.manager).get(path)
    assert answer.status_code == 200
    page = answer.content.decode()
    assert "<b>p" not in page
    assert not {"\u202e", "\u2066"} & set(page)
    assert "p\u0430ypal" not in page


def test_such_a_name_is_marked_where_it_decides(odd_scene, as_user):
    odd_scene.manager.username = "p\u0430ul"
    odd_scene.manager.save()
    page = (
        as_user(odd_scene.manager)
        .get(f"/services/{odd_scene.service.name}/releases/{odd_scene.release.number}/")
        .content.decode()
    )
    assert "p\u0430⟨U+0430⟩ul" in page

"""The function that a rollback leads to is looked at, and kept from falling asleep."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from celery import current_app
from django.utils import timezone

from aws import functions
from aws.errors import AwsError
from infra.local.tests.waiting import wait_for
from releases.domain.traffic import Color
from releases.models import Readiness, Service
from releases.services.rollback import fresh_looks, readiness
from releases.services.rollback.watchman import Watchman


@pytest.fixture
def probes(monkeypatch) -> list[str]:
    """The functions that were probed; each answers."""
    names: list[str] = []

    def probe(_, name):
        names.append(name)
        return ""

    monkeypatch.setattr(functions, "probe", probe)
    return names


@pytest.fixture
def split(life, probes, monkeypatch):
    life.request()
    life.go_to(50)
    life.changes = {}

    def read_color(_, color):
        return replace(life.world.functions[color].read(color), **life.changes)

    monkeypatch.setattr(readiness, "read_color", read_color)
    return life


def found() -> Readiness:
    return Readiness.objects.get()


def grow_old(minutes: float) -> None:
    long_ago = timezone.now() - timedelta(minutes=minutes)
    Readiness.objects.update(checked_at=long_ago, probed_at=long_ago)


def test_the_side_that_a_rollback_leads_to_is_looked_at_and_probed(split, probes):
    assert readiness.check_due() == 1
    assert (found().color, found().problems, found().is_ready) == ("blue", [], True)
    assert probes == ["shop-blue"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"state": "Inactive"}, "state of the version that blue serves: expected Active, found Inactive"),
        ({"last_update_status": "Failed"}, "last update of blue's function"),
        ({"alias_digest": "sha256:other"}, "image that blue's alias serves"),
        ({"targets": ()}, "number of targets of blue's group"),
        ({"callers": frozenset()}, "permission of the load balancer to call blue"),
    ],
)
def test_whatever_would_keep_it_from_serving_is_said(split, changes, said):
    split.changes = changes
    readiness.check_due()
    assert said in " ".join(found().problems)
    assert not found().is_ready


def test_it_is_looked_at_every_five_minutes_and_probed_every_hour(split, probes):
    readiness.check_due()
    assert readiness.check_due() == 0
    grow_old(6)
    assert readiness.check_due() == 1
    assert len(probes) == 1
    grow_old(61)
    readiness.check_due()
    assert len(probes) == 2


def test_a_probe_that_failed_is_repeated_with_the_next_look(split, monkeypatch):
    monkeypatch.setattr(functions, "probe", lambda *_: "it failed (Unhandled)")
    readiness.check_due()
    assert (found().is_ready, found().probe_problem) == (False, "it failed (Unhandled)")
    monkeypatch.setattr(functions, "probe", lambda *_: "")
    grow_old(6)
    readiness.check_due()
    assert found().is_ready


def test_an_aws_that_does_not_answer_is_no_readiness(split, monkeypatch):
    def gone(*_):
        raise AwsError("aws:unreachable", "AWS did not answer.")

    monkeypatch.setattr(readiness, "read_color", gone)
    monkeypatch.setattr(functions, "probe", gone)
    readiness.check_due()
    assert (found().problems, found().probe_problem) == (["AWS did not answer."], "AWS did not answer.")


def test_after_a_promotion_the_old_version_is_looked_after_and_at_rest_nobody(split, probes):
    split.go_to(100)
    readiness.check_due()
    assert (found().color, probes) == (Color.BLUE, ["shop-blue"])
    Readiness.objects.all().delete()
    split.roll_back()
    split.world.work()
    assert Service.objects.get().promoted_at is None
    assert readiness.check_due() == 0


@pytest.fixture
def long_fresh(monkeypatch) -> None:
    """What a busy machine takes for a test makes nothing old."""
    monkeypatch.setattr(fresh_looks, "FRESH_FOR", timedelta(minutes=30))


def test_a_page_s_look_probes_unless_that_was_done_just_now(split, probes, long_fresh):
    fresh_looks.see_to(split.service.pk, has_aws=True)
    fresh_looks.see_to(split.service.pk, has_aws=True)
    assert len(probes) == 1
    grow_old(31)
    fresh_looks.see_to(split.service.pk, has_aws=True)
    assert len(probes) == 2
    assert fresh_looks.is_fresh(found())


def test_a_probe_that_this_process_may_not_make_leaves_what_a_worker_has_seen(
    split, probes, monkeypatch, long_fresh
):
    def refused(*_):
        raise AwsError("aws:refused", "AWS does not allow Bluegreen to probe the function.")

    readiness.check_due()
    grow_old(40)
    before = found().probed_at
    monkeypatch.setattr(functions, "probe", refused)
    fresh_looks.look(split.service.pk)
    assert (found().probe_problem, found().probed_at) == ("", before)
    assert fresh_looks.is_fresh(found())


def test_a_process_without_aws_credentials_asks_a_worker(split, probes, monkeypatch):
    sent: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(current_app, "send_task", lambda name, args, **_: sent.append((name, args)))
    fresh_looks.see_to(split.service.pk, has_aws=False)
    assert probes == []
    assert sent == [("releases.look_at_readiness", [str(split.service.pk)])]


def test_a_service_that_is_not_there_any_more_is_not_looked_at(db, probes):
    fresh_looks.see_to(uuid4(), has_aws=True)
    assert not Readiness.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_look_that_a_page_wants_is_seen_to_within_a_second_by_the_part_that_watches(
    split, settings, tmp_path
):
    settings.DATA_DIR = tmp_path
    watchman = Watchman("web/1/1.0")
    watchman.start()
    try:
        fresh_looks.want(split.service)
        wait_for(Readiness.objects.exists, "the look")
    finally:
        watchman.stop()
    assert fresh_looks.take_wanted() == []

"""Streams as a browser sees them: over HTTP, under the real server, with real notifications."""

import time
import urllib.error
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from itertools import islice
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group, User
from django.contrib.sessions.models import Session
from django.db import connection, transaction
from django.utils import timezone
from guardian.shortcuts import remove_perm

from releases import push
from releases.domain.access.decisions import Permission
from releases.domain.access.roles import Role
from releases.live import streams
from releases.models import Service
from releases.permissions import grant
from releases.services.access import people
from releases.services.access.roles import EVERYWHERE, record_given
from releases.tests import factories
from releases.tests.event_source import EventSource, event_source
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import LogChunk, Run
from tests.scenes import make_person, make_run, make_service
from tests.serving import serving, session_of

pytestmark = pytest.mark.django_db(transaction=True)
# Half a minute of them, as the tests have them: a stream that goes on for so long is not going to be closed.
MOST_BEATS = 150


@pytest.fixture
def site(monkeypatch) -> Iterator[str]:
    """Beats come ten times as often as they do for people, and what is not pushed is never noticed."""
    monkeypatch.setattr(streams, "BEAT_SECONDS", streams.BEAT_SECONDS / 10)
    monkeypatch.setattr(streams, "CHECK_SECONDS", 3600)
    with serving() as address:
        yield address


@pytest.fixture
def service() -> Service:
    return make_service()


@pytest.fixture
def reader(service: Service) -> User:
    return make_person("reader", service, Permission.VIEW)


def administrator() -> User:
    """Somebody else, who ends what a reader has."""
    ada = User.objects.create(username="ada")
    record_given(Role.ADMIN, ada, EVERYWHERE, actor=factories.TESTS)
    return ada


def add_lines(run: Run, first: int, *lines: str) -> None:
    with transaction.atomic():
        LogChunk.objects.create(run=run, first_line=first, lines=lines)
        push.lines_added(run.pk, first, lines)


def end_run(run: Run, service: Service) -> None:
    with transaction.atomic():
        Run.objects.filter(pk=run.pk).update(status=RunStatus.SUCCEEDED)
        push.service_changed(service.pk)


def refusal(url: str, session: str, **headers: str) -> int:
    with pytest.raises(urllib.error.HTTPError) as refused, event_source(url, session, **headers):
        pass
    return refused.value.code


def held_connections() -> int:
    """How many connections are taken out of the pool, by the test itself among others."""
    numbers = cast(Any, connection).pool.get_stats()  # not in the type stubs
    return int(numbers["pool_size"] - numbers["pool_available"])


def until_closed(source: EventSource) -> list[str]:
    """What still comes until the stream is closed: the busier the machine, the more beats."""
    events = [event.name for event in islice(source, MOST_BEATS)]
    assert len(events) < MOST_BEATS, "nobody has closed it"
    return events


def eventually(holds: Callable[[], bool]) -> None:
    """A check that was under way gives its connection back in its own time."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def listeners() -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
        )
        row = cursor.fetchone()
    return int(row[0]) if row else 0


def stop_listening() -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND query LIKE 'LISTEN%%'"
        )


def test_a_page_of_a_service_is_told_of_its_change_and_of_no_other_one(site, service, reader):
    other = make_service("other")
    with event_source(f"{site}/services/{service.name}/events/", session_of(reader)) as source:
        assert source.next("changed", "beat").name == "changed"  # whatever happened before it was opened
        push.service_changed(other.pk)
        assert source.next("changed", "beat").name == "beat"
        push.service_changed(service.pk)
        source.next("changed")


def test_nothing_is_told_of_a_change_that_was_rolled_back(site, service, reader):
    with event_source(f"{site}/services/{service.name}/events/", session_of(reader)) as source:
        source.next("changed")
        with transaction.atomic():
            push.service_changed(service.pk)
            transaction.set_rollback(True)
        assert source.next("changed", "beat").name == "beat"


def test_a_list_is_told_of_every_service_that_the_person_may_see_and_of_no_other_one(site, service, reader):
    hidden = make_service("hidden")
    with event_source(f"{site}/events/", session_of(reader)) as source:
        source.next("changed")
        push.service_changed(hidden.pk)
        assert source.next("changed", "beat").name == "beat"
        push.service_changed(service.pk)
        source.next("changed")


def test_a_list_is_told_when_a_right_on_another_service_was_given(site, service, reader):
    hidden = make_service("hidden")
    with event_source(f"{site}/events/", session_of(reader)) as source:
        source.next("changed")
        make_person("another", hidden, Permission.VIEW)
        assert source.next("changed", "beat").name == "beat"
        grant(reader, hidden, Permission.VIEW)
        source.next("changed")


def test_a_log_is_sent_from_where_the_page_ends_and_goes_on_with_each_line(site, service, reader):
    run = make_run(service, lines=3)
    with event_source(f"{site}/runs/{run.pk}/events/?after=1", session_of(reader)) as source:
        missing = source.next("lines")
        assert [f"line {number}" in missing.data for number in (1, 2, 3)] == [False, True, True]
        assert missing.id == "3"
        add_lines(run, 3, "one more")
        added = source.next("lines")
        assert 'id="L4"' in added.data
        assert added.id == "4"


def test_a_log_that_was_cut_off_continues_without_gap_or_double(site, service, reader):
    run = make_run(service, lines=1200)
    session = session_of(reader)
    with event_source(f"{site}/runs/{run.pk}/events/", session) as source:
        seen = [source.next("lines")]
    add_lines(run, 1200, "while nobody listened")
    cut_off = {"Last-Event-ID": seen[-1].id}
    with event_source(f"{site}/runs/{run.pk}/events/?after=0", session, **cut_off) as source:
        while seen[-1].id != "1201":
            seen.append(source.next("lines"))
    text = "\n".join(event.data for event in seen)
    assert [text.count(f'id="L{number}"') for number in range(1, 1202)] == [1] * 1201


def test_markup_and_carriage_returns_in_a_log_stay_text(site, service, reader):
    run = make_run(service)
    with event_source(f"{site}/runs/{run.pk}/events/", session_of(reader)) as source:
        source.next("changed")
        add_lines(run, 0, "<script>alert(1)</script>\revent: end\r\rdata: x")
        event = source.next("lines", "end")
    assert event.name == "lines"
    assert "<script>" not in event.data
    assert "&lt;script&gt;" in event.data


def test_a_log_ends_with_its_last_line_even_if_that_was_kept_after_the_run_had_ended(
    site, service, reader, monkeypatch
):
    # The line has to be there before the first beat without one, which is the log's end.
    monkeypatch.setattr(streams, "BEAT_SECONDS", 3)
    run = make_run(service, lines=1)
    with event_source(f"{site}/runs/{run.pk}/events/?after=1", session_of(reader)) as source:
        source.next("changed")
        end_run(run, service)
        source.next("changed")
        add_lines(run, 1, "the last one")
        assert [event.name for event in source if event.name != "beat"] == ["lines", "end"]


def test_nobody_reconnects_to_a_log_that_is_complete(site, service, reader):
    run = make_run(service, lines=2)
    end_run(run, service)
    url, session = f"{site}/runs/{run.pk}/events/", session_of(reader)
    with event_source(url, session, **{"Last-Event-ID": "1"}) as source:
        assert next(event.name for event in source) == "lines"
    with event_source(url, session, **{"Last-Event-ID": "2"}) as source:
        assert source.response.status == 204


def test_an_expired_session_is_noticed_without_a_push(site, service, reader, monkeypatch):
    monkeypatch.setattr(streams, "CHECK_SECONDS", 0.2)
    with event_source(f"{site}/services/{service.name}/events/", session_of(reader)) as source:
        source.next("changed")
        Session.objects.update(expire_date=timezone.now())
        assert set(until_closed(source)) <= {"beat"}


def test_a_right_that_is_lost_while_nobody_listens_closes_the_stream(site, service, reader, monkeypatch):
    monkeypatch.setattr("releases.live.broadcaster.FIRST_PAUSE_SECONDS", 3600)  # it never listens again
    with event_source(f"{site}/services/{service.name}/events/", session_of(reader)) as source:
        source.next("changed")
        stop_listening()
        remove_perm("view_service", reader, service)
        assert set(until_closed(source)) <= {"beat", "changed"}


@pytest.mark.parametrize(
    "lose",
    [
        lambda user, service: remove_perm("view_service", user, service),
        lambda user, service: people.deactivate(user, by=administrator()),
        lambda user, service: people.end_password(user, by=administrator()),
        lambda user, service: Session.objects.all().delete(),
    ],
    ids=["right taken away", "deactivated", "password ended", "signed out"],
)
@pytest.mark.parametrize("page", ["service", "run"])
def test_an_open_stream_is_closed_when_its_reader_may_not_see_it_any_more(site, service, reader, lose, page):
    run = make_run(service)
    path = f"/services/{service.name}/events/" if page == "service" else f"/runs/{run.pk}/events/"
    with event_source(site + path, session_of(reader)) as source:
        source.next("changed")
        lose(reader, service)
        assert set(until_closed(source)) <= {"beat", "changed"}


def test_who_leaves_the_group_that_may_see_it_loses_the_stream(site, service):
    member, group = User.objects.create(username="member"), Group.objects.create(name="readers")
    factories.give(group, service, Role.VIEWER)
    member.groups.add(group)
    with event_source(f"{site}/services/{service.name}/events/", session_of(member)) as source:
        source.next("changed")
        people.remove_member(group, member, by=administrator())
        assert set(until_closed(source)) <= {"beat", "changed"}


@pytest.mark.parametrize("path", ["/services/hidden/events/", "/services/no-such/events/"])
def test_a_service_that_one_may_not_see_has_no_stream(site, reader, path):
    make_service("hidden")
    assert refusal(site + path, session_of(reader)) == 404


def test_a_run_of_a_service_that_one_may_not_see_has_no_stream(site, reader):
    run = make_run(make_service("hidden"))
    assert refusal(f"{site}/runs/{run.pk}/events/", session_of(reader)) == 404


def test_without_signing_in_a_stream_leads_to_the_sign_in(site, service):
    address = urlsplit(site)
    client = HTTPConnection(address.netloc)
    client.request("GET", f"/services/{service.name}/events/")
    answer = client.getresponse()
    assert (answer.status, urlsplit(answer.headers["Location"]).path) == (302, "/login/")


def test_proxies_are_told_to_hold_nothing_back(site, service, reader):
    with event_source(f"{site}/services/{service.name}/events/", session_of(reader)) as source:
        headers = source.response.headers
    assert headers["Content-Type"].startswith("text/event-stream")
    assert headers["Cache-Control"] == "no-store, no-transform"
    assert headers["X-Accel-Buffering"] == "no"


def test_open_streams_share_one_connection_and_hold_none_of_their_own(site, service, reader):
    run = make_run(service, lines=1)
    session = session_of(reader)
    paths = [f"/services/{service.name}/events/", "/events/", f"/runs/{run.pk}/events/"]
    before = held_connections()
    with ExitStack() as stack:
        sources = [stack.enter_context(event_source(site + path, session)) for path in paths * 10]
        for source in sources:
            source.next("changed")
        User.objects.filter(pk=reader.pk).update(is_active=True)  # each looks whether it may go on
        for source in sources:
            source.next("beat")
            source.next("beat")
        eventually(lambda: listeners() == 1)
        eventually(lambda: held_connections() <= before)


def test_streams_catch_up_after_the_listening_connection_was_lost(site, service, reader):
    with event_source(f"{site}/services/{service.name}/events/", session_of(reader)) as source:
        source.next("changed")
        stop_listening()
        source.next("changed")
        push.service_changed(service.pk)
        source.next("changed")

"""Finding events: by who, what, on what, when, which words; in pages that follow each other without gap or double."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import DjangoAssertNumQueries

from audit import events, search
from audit.context import acting_in
from audit.events import Actor, record
from audit.models import AuditEvent
from audit.search import Page, Search, find, find_all

pytestmark = pytest.mark.django_db
RELEASE = "01890000-0000-7000-8000-000000000001"


def happens(number: int, *, who: str = "otto", action: str = "step.started", **more: Any) -> AuditEvent:
    actor = Actor(id="3", name=who, via="page")
    return record(actor=actor, action=action, **{"subject": {"number": number}, **more})


def counted_by_the_database() -> None:
    """Its estimates come from these events, and not from what earlier tests left of theirs in the table's file."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_auditevent")


def numbers(page: Page) -> list[int]:
    return [event.subject["number"] for event in page.events]


def found(**wanted: Any) -> list[int]:
    return numbers(find(Search(**wanted)))


def test_events_come_newest_first() -> None:
    for number in range(3):
        happens(number)
    assert found() == [2, 1, 0]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"actor": "mona"}, [1]),
        ({"action": "plan.approved"}, [1]),
        ({"actor": "otto", "action": "plan.approved"}, []),
        ({"service_ids": ["shop"]}, [2]),
        ({"service_ids": ["shop", "other"]}, [2]),
        ({"service_ids": []}, []),
        ({"release_id": RELEASE}, [3]),
        ({"request_id": "r-7"}, [4]),
        ({"actor": "'; DROP TABLE audit_auditevent; --"}, []),
    ],
)
def test_events_are_found_by_who_what_where_and_the_request(
    wanted: dict[str, Any], expected: list[int]
) -> None:
    happens(0)
    happens(1, who="mona", action="plan.approved")
    happens(2, service_id="shop")
    happens(3, subject={"number": 3, "release": RELEASE})
    with acting_in(request_id="r-7"):
        happens(4)
    assert found(**wanted) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("vat", [0]),
        ("Fix the VAT", [0]),
        ("VAT fix", [0]),
        ("PAY-88", [0]),
        ("pay-8", [0]),
        ("9ab3", [1]),
        ("digest 9ab3", []),
        ("nginx:v42", [1]),
        ("müller", [2]),
        ("mona", [2]),
        ("nothing-like-it", []),
        ("' | !vat & :*", [0]),
        ("!?", [2, 1, 0]),
    ],
)
def test_events_are_found_by_the_beginnings_of_their_words_in_any_order(
    text: str, expected: list[int]
) -> None:
    happens(0, reason="Fix the „VAT“ (PAY-88)")
    happens(
        1, after={"plan_sha256": "9ab3" + "0" * 60, "image": "123.dkr.ecr.amazonaws.com/nginx:v42@sha256:ff"}
    )
    happens(2, who="mona", before={"name": "Müller"})
    assert found(text=text) == expected


def test_events_are_found_by_when_they_happened() -> None:
    happens(0)
    now = datetime.now(UTC)
    assert found(since=now - timedelta(minutes=1)) == [0]
    assert found(until=now + timedelta(minutes=1)) == [0]
    assert found(since=now + timedelta(minutes=1)) == []
    assert found(until=now - timedelta(minutes=1)) == []


def test_an_event_of_a_machine_whose_clock_is_an_hour_off_is_found_by_the_database_s_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    an_hour_ago = search._id_at(datetime.now(UTC) - timedelta(hours=1))
    monkeypatch.setattr(events, "uuid7", lambda: an_hour_ago)
    happens(0)
    assert found(since=datetime.now(UTC) - timedelta(minutes=1)) == [0]


def test_pages_follow_each_other_without_gap_or_double_while_events_are_added() -> None:
    for number in range(5):
        happens(number)
    first = find(Search(actor="otto"), limit=2)
    happens(5)
    second = find(Search(actor="otto"), before=first.older, limit=2)
    third = find(Search(actor="otto"), before=second.older, limit=2)
    assert [*numbers(first), *numbers(second), *numbers(third)] == [4, 3, 2, 1, 0]
    assert third.older is None


@pytest.fixture
def looks_through_four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "LOOKED_THROUGH", 4)
    monkeypatch.setattr(search, "LOOKED_THROUGH_FOR_TEXT", 4)
    monkeypatch.setattr(search, "RARE", 2)
    monkeypatch.setattr(search, "AT_ONCE", 3)


@pytest.mark.usefixtures("looks_through_four")
def test_where_little_is_found_the_page_says_how_far_it_has_looked_and_the_next_goes_on_there() -> None:
    happens(0, reason="common")
    for number in range(1, 8):
        happens(number, reason="common")
    wanted = Search(text="common", until=datetime.now(UTC) - timedelta(hours=1))
    first = find(wanted)
    assert (first.events, first.older) == ([], AuditEvent.objects.order_by("-pk")[3].pk)
    assert first.looked_until
    assert abs(first.looked_until - datetime.now(UTC)) < timedelta(minutes=1)
    second = find(wanted, before=first.older)
    assert (second.events, second.older) == ([], AuditEvent.objects.order_by("pk")[0].pk)
    assert find(wanted, before=second.older) == Page(events=[], older=None)


@pytest.mark.usefixtures("looks_through_four")
def test_what_reaches_furthest_back_is_followed_so_that_rare_events_are_found_at_once() -> None:
    happens(0, who="mona", action="plan.approved")
    for number in range(1, 30):
        happens(number, action="plan.approved")
    assert found(actor="mona", action="plan.approved") == [0]


@pytest.mark.usefixtures("looks_through_four")
def test_a_text_that_few_events_have_is_found_at_once_however_old_it_is() -> None:
    happens(0, reason="the needle")
    for number in range(1, 30):
        happens(number)
    counted_by_the_database()
    assert found(text="needle", actor="otto") == [0]
    assert found(text="needle", actor="mona") == []


def test_a_text_that_is_known_as_common_is_not_counted_and_one_that_is_not_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(search, "RARE", 20)
    # The database estimates beginnings of words from a hundred different ones on.
    for number in range(120):
        happens(number, reason="deployed" if number % 2 else "needle" if number == 30 else "")
    counted_by_the_database()
    counted = {}
    for word, expected in (("deployed", list(range(119, 19, -2))), ("needle", [30])):
        with CaptureQueriesContext(connection) as captured:
            assert found(text=word) == expected
        counted[word] = any(query["sql"].startswith("SELECT count(*)") for query in captured)
    assert counted == {"deployed": False, "needle": True}


@pytest.mark.usefixtures("looks_through_four")
def test_all_of_them_come_some_at_a_time_over_every_window() -> None:
    for number in range(30):
        happens(number, who="mona" if number % 10 == 3 else "otto", reason="common")
    parts = [[event.subject["number"] for event in part] for part in find_all(Search(text="common"))]
    assert [number for part in parts for number in part] == list(range(29, -1, -1))
    assert max(map(len, parts)) == 3
    mona = find_all(Search(actor="mona", text="common"))
    assert [event.subject["number"] for part in mona for event in part] == [23, 13, 3]


def test_a_page_needs_as_many_queries_for_many_events_as_for_one(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for number in range(20):
        happens(number)
    with django_assert_num_queries(3):
        find(Search(actor="otto"), limit=10)


@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Search(text="needle"), "audit_words"),
        (Search(release_id=RELEASE), "audit_release_timeline"),
        (Search(request_id="r1"), "audit_request_timeline"),
        (Search(actor="mona"), "audit_actor_timeline"),
        (Search(action="plan.approved"), "audit_action_timeline"),
        (Search(service_ids=["shop"]), "audit_service_timeline"),
    ],
)
def test_each_condition_has_its_index(wanted: Search, index: str) -> None:
    happens(0)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        given = search._given(wanted, None)
        condition = (
            search._TEXT
            if wanted.text
            else next(sql for name, sql in search._INDEXED.items() if name in given)
        )
        cursor.execute(f"EXPLAIN SELECT id FROM audit_auditevent WHERE {condition}", given)
        assert index in str(cursor.fetchall())

"""Reading a service's timeline."""

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries

from audit.events import Actor, record
from audit.selectors import list_events

OPERATOR = Actor(id="3", name="otto", via="page")
pytestmark = pytest.mark.django_db


def record_numbered(service_id: str, count: int) -> None:
    for number in range(count):
        record(actor=OPERATOR, action="step.started", service_id=service_id, subject={"number": number})


def numbers(service_id: str, **page: object) -> list[int]:
    return [event.subject["number"] for event in list_events(service_id=service_id, **page)]  # type: ignore[arg-type]


def test_events_come_newest_first_and_of_one_service_only() -> None:
    record_numbered("blue-shop", 3)
    record_numbered("green-shop", 1)

    assert numbers("blue-shop") == [2, 1, 0]
    assert numbers("nobody") == []


def test_pages_follow_each_other_without_gap_or_double_while_events_are_added() -> None:
    record_numbered("shop", 5)
    first = list_events(service_id="shop", limit=2)
    record_numbered("shop", 1)
    second = list_events(service_id="shop", before=first[-1].pk, limit=2)
    third = list_events(service_id="shop", before=second[-1].pk, limit=2)

    assert [event.subject["number"] for event in first + second + third] == [4, 3, 2, 1, 0]


def test_a_page_is_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    record_numbered("shop", 20)

    with django_assert_num_queries(1):
        list_events(service_id="shop", limit=10)

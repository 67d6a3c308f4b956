from datetime import UTC, datetime, timedelta

import pytest

from releases.domain.access.access_history import (
    Could,
    Ended,
    Fact,
    Held,
    Member,
    Told,
    facts_at,
    who_could_approve,
)

DAY = datetime(2026, 3, 10, tzinfo=UTC)
BEFORE, AFTER = DAY - timedelta(hours=1), DAY + timedelta(hours=1)
ANA = Member("SRE", "ana")
BEGINS_BEFORE, ENDS_BEFORE = Told(BEFORE, True, ANA), Told(BEFORE, False, ANA)
BEGINS_AFTER, ENDS_AFTER = Told(AFTER, True, ANA), Told(AFTER, False, ANA)


@pytest.mark.parametrize(
    ("told", "present", "was"),
    [
        ([BEGINS_BEFORE], [], True),
        ([BEGINS_BEFORE, ENDS_BEFORE], [(ANA, None)], False),
        ([BEGINS_BEFORE, ENDS_AFTER], [], True),
        ([ENDS_BEFORE, BEGINS_AFTER], [(ANA, None)], False),
        ([ENDS_AFTER], [], True),
        ([ENDS_AFTER, BEGINS_AFTER], [(ANA, None)], True),
        ([BEGINS_AFTER], [(ANA, BEFORE)], False),
        ([], [(ANA, None)], True),
        ([], [(ANA, BEFORE)], True),
        ([], [(ANA, DAY)], False),
        ([], [], False),
    ],
)
def test_what_was_so_is_told_by_the_events_before_then_by_those_after_then_by_the_present(told, present, was):
    assert facts_at(DAY, told, present) == ({ANA} if was else set())


def test_people_could_by_their_own_roles_and_by_those_of_their_groups_until_their_account_ended():
    facts: set[Fact] = {
        *(Member("SRE", "ana"), Member("SRE", "eve"), Member("DBA", "leo")),
        *(Held("manager", group="SRE", service="shop"), Held("operator", group="DBA")),
        *(Held("approver", person="ivo", environment="production"), Held("admin", person="ana")),
        *(Held("approver", person="eve"), Held("viewer", person="max"), Ended("eve")),
    }
    assert who_could_approve(facts) == [
        Could("ana", "admin", "", "", ""),
        Could("ana", "manager", "SRE", "shop", ""),
        Could("ivo", "approver", "", "", "production"),
    ]
    assert [could.place for could in who_could_approve(facts)] == ["everywhere", "on shop", "in production"]


def test_a_group_without_members_could_not():
    assert who_could_approve({Held("manager", group="SRE")}) == []

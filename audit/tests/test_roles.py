"""The role that the application has in production adds to the trail, and can change nothing of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import DatabaseError, connection, transaction

import audit
from audit.events import Actor, record
from audit.models import ChainLink
from audit.roles import problems

ROLE = "bluegreen_tests_application"
WORKER = Actor(id="", name="Bluegreen", via="worker")
pytestmark = pytest.mark.django_db


def sql(*statements: str) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


@pytest.fixture
def application() -> Iterator[None]:
    """The role that the script makes of a new one; it is gone with the test's transaction."""
    assert audit.__file__
    script = Path(audit.__file__).with_name("application_role.sql").read_text()
    sql(f"CREATE ROLE {ROLE}", script.replace(':"role"', ROLE), f"SET LOCAL ROLE {ROLE}")
    yield
    sql("RESET ROLE")


def test_the_application_s_role_records_and_the_chain_goes_on(application):
    record(actor=WORKER, action="release.promoted")
    connection.check_constraints()

    assert ChainLink.objects.get().number == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_auditevent SET reason = ''",
        "DELETE FROM audit_auditevent",
        "TRUNCATE audit_auditevent",
        "ALTER TABLE audit_auditevent DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_join_chain ON audit_auditevent",
        "INSERT INTO audit_chainlink SELECT gen_random_uuid(), 1, ''",
        "UPDATE audit_chainlink SET hash = ''",
        "SET session_replication_role = replica",
        "CREATE OR REPLACE FUNCTION audit_number() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END'",
    ],
)
def test_the_application_s_role_can_change_nothing_even_where_triggers_are_ignored(application, statement):
    record(actor=WORKER, action="release.promoted")
    connection.check_constraints()
    ignored = "{pgtrigger_append_only_00dfa,pgtrigger_append_only_c07b1,pgtrigger_written_once_76a5f}"

    with pytest.raises(DatabaseError, match=r"permission denied|must be owner"):
        sql(f"SET LOCAL pgtrigger.ignore = '{ignored}'", statement)


def test_it_is_said_whether_the_present_role_could(application, capsys):
    call_command("check_audit_role")
    assert "and nothing else" in capsys.readouterr().out

    sql("RESET ROLE")
    with pytest.raises(CommandError, match="could change the audit trail"):
        call_command("check_audit_role")


def test_each_right_too_much_is_named(application):
    sql(
        "RESET ROLE", f"GRANT UPDATE ON audit_auditevent TO {ROLE}", f"GRANT ALL ON audit_chainlink TO {ROLE}"
    )
    sql("ALTER TABLE audit_auditevent OWNER TO " + ROLE, f"SET LOCAL ROLE {ROLE}")

    found = "\n".join(problems())
    assert "owns audit_auditevent" in found
    assert "the right UPDATE on audit_chainlink" in found
    assert "INSERT on audit_chainlink" in found

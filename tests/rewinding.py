"""Takes a test's database back to an earlier moment: what it takes long to get to is then done once."""

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction

SCHEMA = "kept"


def keep() -> None:
    """Remember all rows as they are now, in place of what was remembered before."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        cursor.execute(f"CREATE SCHEMA {SCHEMA}")
        for table in _tables():
            cursor.execute(f'CREATE TABLE {SCHEMA}."{table}" AS TABLE "{table}"')


def rewind() -> None:
    """Bring back what was remembered. The trail's trigger, which refuses that, does not see it."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        tables = _tables()
        cursor.execute(f"TRUNCATE {', '.join(map(_quoted, tables))}")
        for table in tables:
            cursor.execute(f'INSERT INTO "{table}" SELECT * FROM {SCHEMA}."{table}"')
    ContentType.objects.clear_cache()


def _tables() -> list[str]:
    return sorted(set(connection.introspection.table_names()) - {"django_migrations"})


def _quoted(name: str) -> str:
    return f'"{name}"'

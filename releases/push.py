"""Tells open pages what changed, by NOTIFY in the transaction of the change: nothing untrue is pushed."""

import json
from collections.abc import Sequence
from uuid import UUID

from django.db import connection

CHANNEL = "bluegreen"
ACCESS = "access"
"""What is pushed when somebody's rights, account or session changed: by triggers (migration 0029), whoever did it."""


def service_changed(service_id: UUID) -> None:
    """Wake the pages of one service when the current transaction commits."""
    _notify({"service": str(service_id)})


def lines_added(run_id: UUID, first_line: int, lines: Sequence[str]) -> None:
    """Wake the readers of one run's log; the lines themselves are read from the database, since NOTIFY takes 8 kB."""
    _notify({"run": str(run_id), "line": first_line + len(lines) - 1})


def _notify(payload: dict[str, object]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, %s)", [CHANNEL, json.dumps(payload)])

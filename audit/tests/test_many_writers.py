"""Many processes record at once; some take events back, some are killed, one stands still with the chain's lock."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from audit.models import AuditEvent
from audit.tests.herd import KILLED_EVERY, TAKEN_BACK_EVERY
from audit.verification import verify

WRITERS = 32


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "events", [pytest.param(10_000, id="10000"), pytest.param(100_000, id="100000", marks=pytest.mark.long)]
)
def test_they_make_one_chain_and_nothing_is_lost(events: int) -> None:
    each = events // (WRITERS - 1)

    said = _herd(each)

    committed = set(AuditEvent.objects.values_list("actor_id", "after__number"))
    assert verify().events == len(committed) == AuditEvent.objects.count()
    assert said <= committed
    untold = committed - said  # by who was killed between its commit and its line
    assert len({writer for writer, _ in untold}) == len(untold)
    assert all(int(writer) % KILLED_EVERY == 0 for writer, _ in untold)
    moved = {str(number) for number in range(1, WRITERS) if number % KILLED_EVERY}
    kept = {number for number in range(each) if number % TAKEN_BACK_EVERY != 3}
    assert {pair for pair in said if pair[0] in moved} == {(w, number) for w in moved for number in kept}
    assert "0" not in {writer for writer, _ in committed}  # its transaction was ended, so that others went on


def _herd(events: int) -> set[tuple[str, int]]:
    """Which events of which writers are committed, by their own word."""
    name = connection.settings_dict["NAME"]
    address = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{name}"
    environment = os.environ | {"DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": "bluegreen.settings"}
    done = subprocess.run(
        [sys.executable, "-m", "audit.tests.herd", str(WRITERS), str(events)],
        check=True,
        cwd=Path(__file__).parents[2],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    lines = (line.split() for line in done.stdout.splitlines())
    return {(writer, int(number)) for writer, number in lines}

"""The audit trail: how long it takes to verify a million events, and how many are recorded in a second.

``python -m bench.trail`` fills the empty database that the settings name, and writes what verifying it takes as JSON.
"""

import json
import multiprocessing
import os
import resource
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import django
from django.core.management import call_command
from django.db import connection, transaction
from uuid_utils.compat import uuid7

from audit.check_chain import NOTHING_BEFORE, Event, check, digest_of, link_hash
from bench.errors import CannotMeasure
from bench.figures import Figure, Goal
from infra.local.paths import ROOT

if TYPE_CHECKING:
    from bench.demo import Demo

EVENTS = 1_000_000
DATABASE = "bench_trail"
# What the walk itself may add to the process, whatever the length of the trail.
MEMORY_MB = 32.0
PROCESSES = 8
SECONDS = 5.0
AT_ONCE = 10_000
AT = "2026-01-02T03:04:05.000006Z"
SERVICE = "01890000-0000-7000-8000-000000000001"


def measure_verification(demo: "Demo") -> Figure:
    """Of a trail of its own, beside the demo's. Raises CannotMeasure also where the walk's memory grows with it."""
    taken = run_beside("bench.trail", "The trail could not be filled and verified.")
    print(f"verify the audit chain: {taken['megabytes']:.1f} MB more memory at the end than at the beginning")
    if taken["megabytes"] > MEMORY_MB:
        raise CannotMeasure(f"Verifying took {taken['megabytes']:.0f} MB: its memory is not constant.")
    return Figure(
        name="verify the audit chain",
        value=taken["seconds"],
        unit="s",
        samples=1,
        goal=Goal(on="value", at_most=60),
    )


def run_beside(module: str, problem: str) -> dict[str, float]:
    """What a program measures in an empty database beside the demo's. Raises CannotMeasure, with the problem."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0")
    address = f"{os.environ['DATABASE_URL'].rpartition('/')[0]}/{DATABASE}"
    done = subprocess.run(
        [sys.executable, "-m", module],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": address},
        stdout=subprocess.PIPE,
        check=False,
    )
    if done.returncode != 0:
        raise CannotMeasure(problem)
    taken: dict[str, float] = json.loads(done.stdout)
    return taken


def measure_recording(demo: "Demo") -> Figure:
    """Processes that each record one event after the other, in transactions of their own."""
    with multiprocessing.get_context("spawn").Pool(PROCESSES) as pool:
        pool.map(_record_for, [0.1] * PROCESSES)  # so that all of them have started
        counts = pool.map(_record_for, [SECONDS] * PROCESSES, chunksize=1)
    return Figure(
        name="record audit events",
        value=sum(counts) / SECONDS,
        unit="events/s",
        samples=sum(counts),
        goal=Goal(on="value", at_least=100),
    )


def _record_for(seconds: float) -> int:
    django.setup()
    # By name: models can't be imported before Django is set up.
    events = import_module("audit.events")
    actor, until, count = events.Actor(id="", name="bench", via="command"), time.perf_counter() + seconds, 0
    while time.perf_counter() < until:
        with transaction.atomic():
            events.record(actor=actor, action="step.started", after={"number": count})
        count += 1
    return count


def fill() -> None:
    """Put the events and their chain into the database, past the triggers: only verifying them is measured."""
    call_command("migrate", verbosity=0)
    previous = NOTHING_BEFORE
    with connection.cursor() as cursor:
        for table in ("audit_auditevent", "audit_chainlink"):
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        for first in range(1, EVENTS + 1, AT_ONCE):
            events = list(_events(first, AT_ONCE, previous))
            previous = events[-1].hash
            _copy(cursor, events)
        cursor.execute("ANALYZE")


def _events(first: int, count: int, previous: str) -> Iterator[Event]:
    """Events as a step makes them, each with its place."""
    for number in range(first, first + count):
        identifier = str(uuid7())
        document = {
            "id": identifier,
            "actor_name": "Bluegreen",
            "via": "worker",
            "action": "step.planned",
            "service_id": SERVICE,
            "subject": {"step": SERVICE, "transition": "shift", "share": number % 100, "release": SERVICE},
            "before": {"status": "planning"},
            "after": {"status": "waiting", "plan_sha256": "a" * 64},
        }
        content = json.dumps(document)
        digest = digest_of(content)
        previous = link_hash(number=number, at=AT, previous=previous, digest=digest)
        yield Event(number, previous, identifier, AT, digest, content)


def _copy(cursor: Any, events: list[Event]) -> None:  # noqa: ANN401 - psycopg's, behind Django's
    columns = ("id", "actor_id", "actor_name", "via", "action", "service_id", "subject", "before", "after")
    more = {"actor_id": "", "reason": "", "context": "{}", "at": AT}
    with cursor.copy(
        f"COPY audit_auditevent ({', '.join(columns)}, reason, context, at, digest) FROM STDIN"
    ) as copy:
        for event in events:
            fields = {**more, **json.loads(event.content or "")}
            texts = [
                json.dumps(value) if isinstance(value, dict) else value for value in map(fields.get, columns)
            ]
            copy.write_row([*texts, "", "{}", AT, event.digest])
    with cursor.copy("COPY audit_chainlink (event_id, number, hash) FROM STDIN") as copy:
        for event in events:
            copy.write_row([event.id, event.number, event.hash])


def _verified() -> dict[str, float]:
    """Seconds, and by how much the process has grown since the first tenth."""
    stored = import_module("audit.stored")
    began, grown = time.perf_counter(), list[int]()

    def watched(events: Iterable[Event]) -> Iterator[Event]:
        for event in events:
            if event.number == EVENTS // 10:
                grown.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
            yield event

    with stored.whole_chain() as events:
        sound = check(watched(events), [])
    if stored.first_without_place() or sound.events != EVENTS:
        raise CannotMeasure("Not all events were found.")
    seconds = time.perf_counter() - began
    return {
        "seconds": seconds,
        "megabytes": (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - grown[0]) / 1024,
    }


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")
    django.setup()
    fill()
    print(json.dumps(_verified()))

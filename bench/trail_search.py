"""The audit trail's search: how long its slowest page takes over a million events.

``python -m bench.trail_search`` fills the empty database that the settings name, and writes the seconds as JSON.
"""

import json
import os
import time
from datetime import UTC, datetime, timedelta
from importlib import import_module
from statistics import median
from typing import TYPE_CHECKING, Any

import django
from django.core.management import call_command
from django.db import connection

from bench.figures import Figure, Goal
from bench.trail import EVENTS, run_beside

if TYPE_CHECKING:
    from bench.demo import Demo

SAMPLES = 5
# A year's events of 1,000 services and 200 people: most are Bluegreen's own, and one in 100,000 has a word of its own.
FILL = """
INSERT INTO audit_auditevent (id, at, actor_id, actor_name, via, action, service_id, subject, before, after, reason,
    context, digest)
SELECT
    overlay(lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '7' || substr(md5(n::text), 1, 19)
        placing '8' from 17 for 1)::uuid,
    moment, '', CASE WHEN n %% 10 < 7 THEN 'Bluegreen' ELSE 'person-' || n %% 200 END, 'worker',
    CASE WHEN n %% 10 < 7 THEN (ARRAY['step.planned', 'step.verified', 'apply.ended', 'plan.made'])[1 + n %% 4]
        ELSE (ARRAY['plan.approved', 'release.requested', 'step.started'])[1 + n %% 3] END,
    'service-' || n %% 1000,
    jsonb_build_object('step', md5((n / 4)::text), 'release', md5((n / 20)::text), 'transition', 'shift'),
    '{"status": "planning"}',
    jsonb_build_object('status', 'waiting', 'plan_sha256', md5(n::text) || md5((n + 1)::text), 'share', n %% 100),
    CASE WHEN n %% 100000 = 0 THEN 'needle' || n WHEN n %% 10 >= 7 THEN 'deployed as planned' ELSE '' END,
    jsonb_build_object('request_id', md5(n::text)), repeat('a', 64)
FROM generate_series(1, %(events)s) AS n, LATERAL (
    SELECT now() - interval '365 days' * (1 - n::float / %(events)s) AS moment
) AS spread
"""


def measure(demo: "Demo") -> Figure:
    """Of a trail of its own, beside the demo's."""
    taken = run_beside("bench.trail_search", "The trail could not be filled and searched.")
    for name, seconds in taken.items():
        print(f"search the audit trail, {name}: {seconds * 1000:.0f} ms")
    return Figure(
        name="search the audit trail (slowest page)",
        value=max(taken.values()),
        unit="s",
        samples=SAMPLES * len(taken),
        goal=Goal(on="value", at_most=0.2),
    )


def fill() -> None:
    """Put the events into the database, past the triggers: only searching them is measured."""
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        cursor.execute(FILL, {"events": EVENTS})
        cursor.execute("VACUUM ANALYZE audit_auditevent")


def _searches() -> dict[str, dict[str, Any]]:
    now = datetime.now(UTC)
    day = {"since": now - timedelta(days=5), "until": now - timedelta(days=4)}
    return {
        "everything": {},
        "one person": {"actor": "person-7"},
        "one service": {"service_ids": ["service-7"]},
        "twenty services": {"service_ids": [f"service-{number}" for number in range(20)]},
        "one day": day,
        "one person on one day": {"actor": "person-7", **day},
        "an action that this person never did": {"actor": "Bluegreen", "action": "plan.approved"},
        "an action on a service of others": {"action": "plan.approved", "service_ids": ["service-0"]},
        "a word that ten events have": {"text": "needle"},
        "a word that none has": {"text": "haystack"},
        "a word that many have": {"text": "deployed"},
        "a word that many have, but not this one's": {"text": "deployed", "actor": "Bluegreen"},
    }


def _measured() -> dict[str, float]:
    """The medians of seconds, of the newest page and of one from the middle of the trail."""
    search = import_module("audit.search")
    middle = search._id_at(datetime.now(UTC) - timedelta(days=180))
    taken = {}
    for name, wanted in _searches().items():
        for place, before in (("newest", None), ("half a year ago", middle)):
            taken[f"{name}, {place}"] = median(_seconds(search, wanted, before) for _ in range(SAMPLES))
    return taken


def _seconds(search: Any, wanted: dict[str, Any], before: object) -> float:  # noqa: ANN401 - models come after set-up
    began = time.perf_counter()
    search.find(search.Search(**wanted), before=before)
    return time.perf_counter() - began


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")
    django.setup()
    fill()
    print(json.dumps(_measured()))

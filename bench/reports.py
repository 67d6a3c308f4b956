"""The report over a period: how long it takes over 5,000 releases.

``python -m bench.reports`` fills the empty database that the settings name, and writes the seconds as JSON.
"""

import json
import os
import time
from datetime import UTC, date, datetime
from importlib import import_module
from typing import TYPE_CHECKING

import django
from django.core.management import call_command
from django.db import connection

from bench.figures import Figure, Goal
from bench.trail import run_beside

if TYPE_CHECKING:
    from bench.demo import Demo

RELEASES = 5_000
SERVICES = 50
SAMPLES = 5
DAY = date(2026, 1, 1)
# Each has forty events, which is what one of five steps leaves; one in ten was taken back.
FILL = """
INSERT INTO audit_auditevent (id, at, actor_id, actor_name, via, action, service_id, subject, before, after, reason,
    context, digest)
SELECT
    overlay(lpad(to_hex((extract(epoch FROM moment) * 1000)::bigint), 12, '0') || '7' || substr(md5(n || '-' || k), 1,
        19) placing '8' from 17 for 1)::uuid,
    moment, '', 'person-' || n %% 200, 'worker',
    CASE WHEN k = 1 THEN 'release.requested' WHEN n %% 10 = 0 AND k = 39 THEN 'rollback.pressed'
        WHEN n %% 10 = 0 AND k = 40 THEN 'rollback.traffic-back'
        ELSE (ARRAY['step.planned', 'plan.approved', 'step.applying', 'apply.ended', 'step.verified', 'step.done',
            'step.planning', 'plan.made'])[1 + k %% 8] END,
    'service-' || n %% %(services)s,
    jsonb_build_object('release', md5(n::text), 'step', md5(n || '/' || k / 8), 'rollback', md5(n::text),
        'transition', CASE WHEN k < 32 THEN 'shift' ELSE 'promote' END),
    '{"status": "planning"}', jsonb_build_object('status', 'waiting', 'plan_sha256', md5(n::text)), '', '{}',
    repeat('a', 64)
FROM generate_series(1, %(releases)s) AS n, generate_series(1, 40) AS k, LATERAL (
    SELECT timestamptz '2026-01-01' + interval '360 days' * n / %(releases)s + interval '1 minute' * k AS moment
) AS spread
"""


def measure(demo: "Demo") -> Figure:
    """Of a trail of its own, beside the demo's."""
    taken = run_beside("bench.reports", "The trail could not be filled and reported about.")
    return Figure(
        name="report over 5,000 releases",
        value=taken["seconds"],
        unit="s",
        samples=SAMPLES,
        goal=Goal(on="value", at_most=2),
    )


def _report() -> float:
    report = import_module("releases.services.reports.period_reports").period_report
    period = import_module("releases.domain.reports.period_report").Period(
        begins=datetime(2026, 1, 1, tzinfo=UTC), ends=datetime(2027, 1, 1, tzinfo=UTC)
    )
    names = {f"service-{number}": f"service-{number}" for number in range(SERVICES)}
    begin = time.perf_counter()
    found = report(names, names, period, access_day=DAY, access_before=period.ends)
    taken = time.perf_counter() - begin
    if found.figures.requested != RELEASES:
        raise SystemExit(f"The report has {found.figures.requested} releases, not {RELEASES}.")
    return taken


def main() -> None:
    """Fill, report, and write what the slowest report took."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")
    django.setup()
    call_command("migrate", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DISABLE TRIGGER USER")
        cursor.execute(FILL, {"releases": RELEASES, "services": SERVICES})
        cursor.execute("VACUUM ANALYZE audit_auditevent")
    print(json.dumps({"seconds": max(_report() for _ in range(SAMPLES))}))


if __name__ == "__main__":
    main()

"""What Celery is told, and what browsers are."""

import runpy
from fnmatch import fnmatchcase

import pytest
from celery import current_app
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import reverse

from bluegreen.celery import app


def test_only_json_is_read_from_the_broker():
    """Pickled messages would be code of whoever reaches the broker."""
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == app.conf.event_serializer == "json"


def test_a_message_is_acknowledged_when_its_run_has_ended_and_one_at_a_time_is_taken():
    assert app.conf.task_acks_late
    assert app.conf.worker_prefetch_multiplier == 1


def test_a_message_is_delivered_again_only_after_the_longest_run():
    again = app.conf.broker_transport_options["visibility_timeout"]
    longest = settings.TERRAFORM_TIME_LIMIT_SECONDS + settings.TERRAFORM_GRACE_SECONDS
    assert again > 2 * longest


def test_nobody_who_asks_waits_for_the_broker():
    options = app.conf.broker_transport_options
    assert options["max_retries"] == 0
    assert max(options["socket_timeout"], options["socket_connect_timeout"]) <= 2
    assert app.conf.task_publish_retry is False


def test_workers_wait_for_the_broker_as_long_as_it_takes():
    assert app.conf.broker_connection_retry_on_startup
    assert app.conf.broker_connection_max_retries is None


def test_no_result_is_kept_in_the_broker():
    assert app.conf.task_ignore_result
    assert app.conf.result_backend is None


def test_the_tasks_are_known_by_the_names_that_messages_and_the_schedule_use():
    app.loader.import_default_modules()
    own = {name for name in app.tasks if not fnmatchcase(name, "celery.*")}
    assert own == {
        "releases.execute_run",
        "releases.sweep",
        "releases.prune",
        "releases.echo",
        "releases.check_readiness",
        "releases.count_traffic",
        "releases.look_at_readiness",
        "releases.write_offline_file",
        "releases.make_checkpoint",
        "releases.deliver_messages",
    }
    assert {entry["task"] for entry in app.conf.beat_schedule.values()} <= own
    assert current_app.main == app.main


def test_every_scheduled_task_is_dropped_rather_than_heaped_up():
    for entry in app.conf.beat_schedule.values():
        assert entry["schedule"] < entry["options"]["expires"] < entry["schedule"] + 60


def test_pages_may_not_be_framed_and_load_nothing_from_elsewhere(client):
    answer = client.get(reverse("login"))
    policy = dict(part.strip().split(" ", 1) for part in answer["Content-Security-Policy"].split(";") if part)
    assert policy["default-src"] == "'self'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["script-src"].startswith("'nonce-")
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_cookies_are_out_of_scripts_reach_and_bound_to_this_site():
    assert settings.SESSION_COOKIE_HTTPONLY
    assert settings.SESSION_COOKIE_SAMESITE == "Lax"


def test_debug_is_off_unless_it_is_asked_for():
    assert not settings.DEBUG


def test_accounts_that_make_no_sense_stop_the_start(monkeypatch):
    """Found at the first run it would be too late."""
    monkeypatch.setenv("BLUEGREEN_AWS_ACCOUNTS", '{"12345": {}}')
    with pytest.raises(ImproperlyConfigured, match="BLUEGREEN_AWS_ACCOUNTS: “12345” is no account"):
        runpy.run_path(str(settings.BASE_DIR / "bluegreen/settings.py"))


def test_whoever_stops_in_a_transaction_is_cut_off():
    """FAULTS D6. An address that names options of its own goes before."""
    read = runpy.run_path(str(settings.BASE_DIR / "bluegreen/settings.py"))
    options = read["DATABASES"]["default"]["OPTIONS"]["options"]
    assert options == read["TRANSACTION_OPTIONS"] == "-c idle_in_transaction_session_timeout=5s"

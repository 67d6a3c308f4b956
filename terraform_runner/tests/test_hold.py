import threading
import time
from collections.abc import Callable

import pytest
from django.db import OperationalError, connection

from terraform_runner import claims, launcher, leases
from terraform_runner.domain import log_bounds
from terraform_runner.errors import HoldLost, StorageFailed
from terraform_runner.hold import Hold
from terraform_runner.log_sink import LogSink
from terraform_runner.models import LogChunk, Run
from terraform_runner.selectors import list_lines
from terraform_runner.tests.factories import running_run
from terraform_runner.whole_log import WholeLog, read_compressed

pytestmark = pytest.mark.django_db(transaction=True)


def until(condition: Callable[[], bool]) -> None:
    """Wait for something that comes by itself. Whoever waits a minute waits in vain."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def lines(run: Run) -> list[str]:
    return [line for _, line in list_lines(run.pk)]


def test_heartbeat_goes_on_while_the_run_is_held():
    run = running_run()

    with Hold(run):
        until(lambda: Run.objects.filter(heartbeat_at__gt=run.heartbeat_at).exists())


def test_heartbeat_ends_with_the_hold():
    run = running_run()

    with Hold(run):
        assert f"hold-{run.pk}" in {thread.name for thread in threading.enumerate()}

    assert f"hold-{run.pk}" not in {thread.name for thread in threading.enumerate()}


def test_lines_are_kept_while_the_run_goes_on():
    run = running_run()

    with Hold(run) as hold:
        hold.lines(["one", "two"])
        until(lambda: lines(run) == ["one", "two"])
        hold.lines(["three"])

    assert lines(run) == ["one", "two", "three"]


def test_last_lines_are_kept_when_the_run_fails():
    run = running_run()

    def fail() -> None:
        with Hold(run) as hold:
            hold.lines(["last words"])
            raise HoldLost("gone")

    with pytest.raises(HoldLost):
        fail()

    assert lines(run) == ["last words"]


def test_nothing_asks_to_stop_a_run_that_may_go_on():
    run = running_run()

    with Hold(run) as hold:
        hold.lines(["one"])
        until(lambda: lines(run) == ["one"])
        assert hold.should_stop() is None


def test_request_to_cancel_is_seen():
    run = running_run()

    with Hold(run) as hold:
        claims.request_cancel(workspace=run.workspace, reason="an emergency")
        until(lambda: hold.should_stop() == "an emergency")


def test_request_without_a_reason_is_seen_too():
    run = running_run()

    with Hold(run) as hold:
        claims.request_cancel(workspace=run.workspace, reason="")
        until(lambda: hold.should_stop() is not None)


def test_worker_learns_that_its_run_was_ended_by_somebody_else():
    run = running_run()

    with Hold(run) as hold:
        claims.mark_lost(run, message="gone")
        until(lambda: hold.should_stop() is not None)


def test_process_group_is_written_down_before_terraform_does_anything():
    run = running_run()

    with Hold(run) as hold:
        hold.process_started(4711, 12.5)

    run.refresh_from_db()
    assert (run.process_group, run.process_started) == (4711, 12.5)


def test_process_of_a_run_that_was_ended_is_refused():
    run = running_run()

    with Hold(run) as hold:
        claims.mark_lost(run, message="gone")
        with pytest.raises(HoldLost):
            hold.process_started(4711, 12.5)


def test_lines_are_pushed_in_the_transaction_that_keeps_them():
    run = running_run()
    pushed = []

    def push(run_id, first_line, lines):
        assert connection.in_atomic_block
        pushed.append((run_id, first_line, list(lines)))

    with Hold(run, on_lines=push) as hold:
        hold.lines(["one"])
        until(lambda: lines(run) == ["one"])
        hold.lines(["two"])

    assert pushed == [(run.pk, 0, ["one"]), (run.pk, 1, ["two"])]


@pytest.mark.fault
def test_lines_are_kept_once_when_the_database_was_gone_for_a_moment():
    run = running_run()
    failures = iter([OperationalError("gone"), OperationalError("gone")])

    def fail_twice(*_):
        for failure in failures:
            raise failure

    with Hold(run, on_lines=fail_twice) as hold:
        hold.lines(["one"])
        until(lambda: lines(run) == ["one"])
        hold.lines(["two"])

    assert lines(run) == ["one", "two"]


@pytest.mark.fault
def test_last_lines_are_kept_when_the_database_is_gone_just_then():
    run = running_run()
    # Two of them may be met by the heartbeat's thread.
    failures = iter([OperationalError("gone")] * 5)

    def fail_at_first(*_):
        for failure in failures:
            raise failure

    with Hold(run, on_lines=fail_at_first) as hold:
        until(lambda: hold.holds_until() > 0)
        hold.lines(["the last"])

    assert lines(run) == ["the last"]


@pytest.mark.fault
def test_run_stops_when_its_heartbeat_has_died(monkeypatch):
    monkeypatch.setattr("threading.excepthook", lambda _: None)
    run = running_run()

    bugs = iter([ValueError("a bug")])

    def fail_once(*_):
        for bug in bugs:
            raise bug

    with Hold(run, on_lines=fail_once) as hold:
        hold.lines(["one"])
        until(lambda: hold.should_stop() is not None)

    assert lines(run) == ["one"]


def test_chunk_whose_commit_was_not_confirmed_is_not_kept_twice():
    run = running_run()
    LogChunk.objects.create(run=run, first_line=0, lines=["one"])
    sink = LogSink(run.pk)

    sink.add(["one"])
    sink.flush()
    sink.add(["two"])
    sink.flush()

    assert lines(run) == ["one", "two"]


def test_nothing_is_written_where_there_is_nothing_new():
    run = running_run()

    LogSink(run.pk).flush()

    assert not LogChunk.objects.exists()


def test_terraform_may_go_on_for_half_a_lease_after_a_heartbeat():
    run = running_run()
    before = launcher.now()

    with Hold(run, lease_seconds=40) as hold:
        until(lambda: hold.holds_until() > 0)
        assert before + 20 <= hold.holds_until() <= launcher.now() + 20


def test_terraform_may_not_begin_before_the_first_heartbeat():
    hold = Hold(running_run())

    assert hold.holds_until() == float("-inf")


@pytest.mark.fault
def test_nothing_is_prolonged_while_the_database_cannot_be_reached(monkeypatch):
    run = running_run()
    tries = []

    def unreachable(*_, **__):
        tries.append(hold.holds_until())
        raise OperationalError("gone")

    with Hold(run) as hold:
        until(lambda: hold.holds_until() > 0)
        monkeypatch.setattr(leases, "renew", unreachable)
        until(lambda: len(tries) == 3)
        assert {*tries, hold.holds_until()} == {tries[0]}


def test_nothing_is_prolonged_once_the_run_was_ended_by_somebody_else():
    run = running_run()

    with Hold(run) as hold:
        claims.mark_lost(run, message="gone")
        until(lambda: hold.should_stop() is not None)
        held = hold.holds_until()
        time.sleep(1.2)
        assert hold.holds_until() == held


def test_all_lines_are_in_the_whole_log_and_the_page_has_what_it_can_show(monkeypatch, tmp_path):
    monkeypatch.setattr(log_bounds, "PAGE_LINES", 200)
    run = running_run()
    stored: list[bytes] = []
    printed = [f"line {number}" for number in range(1_000)]

    with Hold(run, whole_log=WholeLog(tmp_path / "log", keep=stored.append)) as hold:
        hold.lines(printed)
        until(lambda: len(lines(run)) == 99)

    assert b"".join(read_compressed(stored[0])).decode().splitlines() == printed
    shown = lines(run)
    assert (shown[:99], shown[100:]) == (printed[:99], printed[-100:])
    assert "“Download all” has them" in shown[99]


@pytest.mark.fault
def test_a_log_that_could_not_be_kept_is_told_at_its_end(tmp_path):
    run = running_run()

    def refuse(_: bytes) -> None:
        raise StorageFailed("S3 did not answer.")

    with Hold(run, whole_log=WholeLog(tmp_path / "log", keep=refuse)) as hold:
        hold.lines(["one"])

    assert lines(run)[0] == "one"
    assert lines(run)[1].startswith("(The whole log could not be kept: S3 did not answer.")


@pytest.mark.fault
def test_lines_that_came_while_the_database_was_gone_are_kept_after_those_before_it():
    run = running_run()
    failures = iter([OperationalError("gone")])

    def fail_once(*_):
        for failure in failures:
            raise failure

    sink = LogSink(run.pk, on_lines=fail_once)
    sink.add(["one"])
    with pytest.raises(OperationalError):
        sink.flush()
    sink.add(["two"])
    sink.flush()

    assert lines(run) == ["one", "two"]

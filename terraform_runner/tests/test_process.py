import os
import time
from pathlib import Path

import pytest

from terraform_runner import process
from terraform_runner.domain.output import Output
from terraform_runner.domain.redaction import Redactor
from terraform_runner.errors import HoldLost, TerraformMissing
from terraform_runner.process import Command, Ended, Limits
from terraform_runner.process_identity import ProcessIdentity
from terraform_runner.tests.support import RecordingControl, stand_in

REPORT_INTERRUPTS = """
import signal, sys, time
count = 0
def note(*_):
    global count
    count += 1
signal.signal(signal.SIGINT, note)
print("ready", flush=True)
until = time.monotonic() + 60
while count == 0 and time.monotonic() < until: time.sleep(0.01)
time.sleep(0.5)
print(f"{count} interrupts", flush=True)
sys.exit(1)
"""
IGNORE_INTERRUPTS = """
import signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""


def run(
    tmp_path: Path,
    code: str,
    *,
    control: RecordingControl | None = None,
    seconds: float = 60,
    grace: float = 30,
    document: Path | None = None,
) -> Ended:
    command = Command(
        argv=(stand_in(tmp_path, code),), directory=tmp_path, environment={"ONLY": "this"}, document=document
    )
    limits = Limits(deadline=time.monotonic() + seconds, grace_seconds=grace)
    return process.run(
        command, limits=limits, control=control or RecordingControl(), output=Output(Redactor())
    )


def when_ready() -> RecordingControl:
    return RecordingControl(stop_when=lambda seen: "ready" in seen)


def test_both_pipes_come_line_by_line_in_their_order(tmp_path):
    control = RecordingControl()

    ended = run(
        tmp_path,
        "import sys\nfor n in range(3): print(n, flush=True); print(n, file=sys.stderr, flush=True)\nsys.exit(7)",
        control=control,
    )

    assert control.seen == ["0", "0", "1", "1", "2", "2"]
    assert ended == Ended(exit_code=7, cancelled=None, timed_out=False, unfed=False)


def test_document_goes_to_its_file_and_not_to_the_log(tmp_path):
    control, document = RecordingControl(), tmp_path / "document"

    run(
        tmp_path,
        "import sys\nprint('secret')\nprint('warning', file=sys.stderr)",
        control=control,
        document=document,
    )

    assert document.read_text() == "secret\n"
    assert control.seen == ["warning"]


def test_environment_is_what_was_given_and_nothing_else(tmp_path):
    control = RecordingControl()

    run(tmp_path, "import os\nprint(sorted(set(os.environ) - {'LC_CTYPE'}))", control=control)

    assert control.seen == ["['ONLY']"]


def test_there_is_nothing_to_read_and_what_is_written_is_private(tmp_path):
    control = RecordingControl()

    run(tmp_path, "import sys\nprint(repr(sys.stdin.read()))\nopen('made', 'w')", control=control)

    assert control.seen == ["''"]
    assert (tmp_path / "made").stat().st_mode & 0o777 == 0o600


def test_process_is_in_the_group_of_its_launcher_and_not_in_the_workers(tmp_path):
    control = RecordingControl()

    run(tmp_path, "import os\nprint(os.getppid(), os.getpgrp(), os.getsid(0))", control=control)

    (group,) = control.groups
    assert control.seen == [f"{group} {group} {group}"]
    assert group != os.getpgrp()


def test_program_that_cannot_be_started_is_missing(tmp_path):
    command = Command(argv=(str(tmp_path / "absent"),), directory=tmp_path, environment={})
    limits = Limits(deadline=time.monotonic() + 60, grace_seconds=1)

    with pytest.raises(TerraformMissing, match="Install Terraform"):
        process.run(command, limits=limits, control=RecordingControl(), output=Output(Redactor()))


@pytest.mark.fault
def test_cancelled_process_is_interrupted_once_and_ends_by_itself(tmp_path):
    control = when_ready()

    ended = run(tmp_path, REPORT_INTERRUPTS, control=control)

    assert control.seen == ["ready", "1 interrupts"]
    assert ended == Ended(exit_code=1, cancelled="asked to stop", timed_out=False, unfed=False)


@pytest.mark.fault
def test_process_that_ignores_the_interrupt_is_killed_after_the_grace_period(tmp_path):
    ended = run(tmp_path, IGNORE_INTERRUPTS, control=when_ready(), grace=0.2)

    assert ended == Ended(exit_code=-9, cancelled="asked to stop", timed_out=False, unfed=False)


@pytest.mark.fault
def test_process_that_hangs_is_ended_at_its_time_limit(tmp_path):
    ended = run(tmp_path, "import time\ntime.sleep(600)", seconds=0.2)

    assert (ended.cancelled, ended.timed_out) == (None, True)
    assert ended.exit_code != 0


@pytest.mark.fault
@pytest.mark.parametrize("output", ["None", "subprocess.DEVNULL"])
def test_nothing_that_the_process_started_outlives_it(tmp_path, output):
    control = RecordingControl()

    ended = run(
        tmp_path,
        f"import subprocess\nprint(subprocess.Popen(['sleep', '600'], stdout={output}, stderr={output}).pid)",
        control=control,
    )

    child = ProcessIdentity.of(int(control.seen[0]))
    assert ended.exit_code == 0
    assert child is None or not child.is_running()


@pytest.mark.fault
def test_process_that_closes_its_output_is_followed_to_its_end(tmp_path):
    ended = run(tmp_path, "import os, time\nos.close(1)\nos.close(2)\ntime.sleep(0.3)\nos._exit(3)")

    assert ended.exit_code == 3


@pytest.mark.fault
def test_process_whose_owner_lost_its_hold_is_ended(tmp_path):
    class Refusing(RecordingControl):
        def process_started(self, group: int, started: float) -> None:
            super().process_started(group, started)
            raise HoldLost("another worker has it")

    control = Refusing()

    with pytest.raises(HoldLost):
        run(tmp_path, IGNORE_INTERRUPTS, control=control, grace=0.2)

    (group,) = control.groups
    assert ProcessIdentity.of(group) is None


@pytest.mark.fault
@pytest.mark.parametrize("cause", [SystemExit, KeyboardInterrupt, MemoryError])
def test_process_does_not_outlive_its_worker_being_shut_down(tmp_path, cause):
    class Ending(RecordingControl):
        def lines(self, lines: list[str]) -> None:
            raise cause

    control = Ending()

    with pytest.raises(cause):
        run(tmp_path, REPORT_INTERRUPTS, control=control)

    (group,) = control.groups
    assert ProcessIdentity.of(group) is None


@pytest.mark.fault
def test_flood_of_output_is_followed_within_bounds(tmp_path):
    control = RecordingControl()

    run(
        tmp_path,
        "import sys\nfor _ in range(200): sys.stdout.write('x' * 100_000 + '\\n' * 1_000)",
        control=control,
    )

    assert sum(map(len, control.seen)) < 5_000_000
    assert len(control.seen) == 200_000  # none is lost, the last ones neither
    assert "the first part of a line of 100000 bytes" in control.seen[0]


def test_quick_command_is_read(tmp_path):
    program = stand_in(tmp_path, "print('answer')")

    assert process.read((program,), environment={}, directory=tmp_path, seconds=60) == "answer\n"


@pytest.mark.parametrize("code", ["raise SystemExit(1)", "import time\ntime.sleep(600)"])
def test_quick_command_that_fails_or_hangs_is_missing(tmp_path, code):
    with pytest.raises(TerraformMissing):
        process.read((stand_in(tmp_path, code),), environment={}, directory=tmp_path, seconds=0.5)

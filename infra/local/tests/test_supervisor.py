import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infra.local import supervisor as supervisor_module
from infra.local.errors import LocalError
from infra.local.supervisor import Part, PartEnded, Supervisor, supervising
from infra.local.tests.waiting import is_gone, pid_in, wait_for

pytestmark = pytest.mark.process

# Says who it is in a file of the folder that it runs in, and stays.
STAYS = "import os, time; open('{name}', 'w').write(f'{{os.getpid()}}\\n'); time.sleep(600)"
# The file is there before what is in it.
WRITTEN = "os.path.exists('{name}') and os.path.getsize('{name}')"


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Supervisor]:
    with supervising(tmp_path, tmp_path / "log") as supervisor:
        yield supervisor


def part(code: str, name: str = "fake", **options) -> Part:
    return Part(name=name, command=[sys.executable, "-c", code], environment={}, **options)


def stays(name: str, **options) -> Part:
    return part(STAYS.format(name=name), name=name, **options)


def test_part_that_ends_is_named_with_its_exit_code_and_log(supervised, tmp_path):
    supervised.start([part("import sys; sys.exit(3)")])

    with pytest.raises(PartEnded, match=rf"fake ended with exit code 3. Its log: {tmp_path}/log/fake.log"):
        supervised.watch()


def test_part_killed_from_outside_is_named_with_the_signal(supervised):
    supervised.start([part("import os; os.kill(os.getpid(), 9)")])

    with pytest.raises(PartEnded, match="fake was killed by signal 9"):
        supervised.watch()


def test_part_that_asks_to_be_started_again_is(supervised, tmp_path):
    counts = "import os, sys; open('starts', 'a').write('.'); times = os.path.getsize('starts')\n"
    supervised.start([stays("other"), part(counts + "sys.exit(75 if times < 3 else 0)", start_again_code=75)])

    with pytest.raises(PartEnded, match="fake ended with exit code 0"):
        supervised.watch()

    assert (tmp_path / "starts").read_text() == "..."
    assert not is_gone(pid_in(tmp_path / "other"))


def test_all_parts_have_ended_when_one_of_them_ends(tmp_path):
    with supervising(tmp_path, tmp_path / "log") as supervisor:
        supervisor.start([stays("survivor")])
        survivor = pid_in(tmp_path / "survivor")
        supervisor.start([part("pass", name="mortal")])
        with pytest.raises(PartEnded, match="mortal"):
            supervisor.watch()

    assert is_gone(survivor)


def test_last_started_is_stopped_first(tmp_path):
    tells = (
        "import signal, sys, time\n"
        "def end(*_): open('order', 'a').write(NAME); sys.exit()\n"
        "signal.signal(signal.SIGTERM, end); open(NAME, 'w').close(); time.sleep(600)"
    )
    with supervising(tmp_path, tmp_path / "log") as supervisor:
        for name in ("a", "b", "c"):
            supervisor.start(
                [part(f"NAME = '{name}'\n{tells}", name=name, is_ready=(tmp_path / name).exists)]
            )

    assert (tmp_path / "order").read_text() == "cba"


def test_start_waits_until_the_part_is_ready(supervised, tmp_path):
    supervised.start(
        [part("import time; open('ready', 'w'); time.sleep(600)", is_ready=(tmp_path / "ready").exists)]
    )

    assert (tmp_path / "ready").exists()


def test_part_that_ends_before_it_is_ready_is_named(supervised):
    with pytest.raises(PartEnded, match="fake ended with exit code 1"):
        supervised.start([part("raise SystemExit('no')", is_ready=lambda: False)])


def test_part_that_never_gets_ready_is_named(supervised, monkeypatch):
    monkeypatch.setattr(supervisor_module, "READY_SECONDS", 0)

    with pytest.raises(LocalError, match="slow isn't ready"):
        supervised.start([stays("slow", is_ready=lambda: False)])


def test_preparation_is_run_to_its_end(supervised, tmp_path):
    supervised.run_once(part("open('done', 'w')"))

    assert (tmp_path / "done").exists()


def test_preparation_that_fails_is_named(supervised):
    with pytest.raises(PartEnded, match="fake ended with exit code 4"):
        supervised.run_once(part("raise SystemExit(4)"))


def test_server_that_ends_during_a_preparation_is_named(supervised):
    supervised.start([part("pass", name="server")])

    with pytest.raises(PartEnded, match="server"):
        supervised.run_once(stays("preparation"))


def test_part_has_only_the_environment_that_it_was_given(supervised, tmp_path, monkeypatch):
    monkeypatch.setenv("BLUEGREEN_SECRET_KEY", "not for everybody")
    code = "import os; open('environment', 'w').write(repr(sorted(set(os.environ) - {'LC_CTYPE'})))"

    supervised.run_once(Part(name="fake", command=[sys.executable, "-c", code], environment={"PART": "1"}))

    assert (tmp_path / "environment").read_text() == "['PART']"


def test_output_is_on_the_terminal_under_the_parts_name_and_in_its_log(tmp_path, capfd):
    with supervising(tmp_path, tmp_path / "log") as supervisor:
        supervisor.run_once(
            part(
                r"import sys; sys.stdout.buffer.write(b'caf\xe9\n'); sys.stdout.flush(); print('last', file=sys.stderr)"
            )
        )

    assert capfd.readouterr().out.splitlines() == ["fake         | caf\ufffd", "fake         | last"]
    assert [line[24:] for line in (tmp_path / "log/fake.log").read_text().splitlines()] == [
        "caf\ufffd",
        "last",
    ]


def test_overlong_line_is_kept_in_pieces(supervised, tmp_path):
    supervised.run_once(part("print('x' * 40_000)"))

    lines = [line[24:] for line in (tmp_path / "log/fake.log").read_text().splitlines()]
    assert "".join(lines) == "x" * 40_000
    assert len(lines) == 3


def test_what_a_part_leaves_in_its_group_is_ended(supervised, tmp_path):
    leaves = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {STAYS.format(name='left')!r}])"
    )

    supervised.run_once(
        part(f"{leaves}\nimport os, time\nwhile not ({WRITTEN.format(name='left')}): time.sleep(0.01)")
    )

    left = pid_in(tmp_path / "left")
    wait_for(lambda: is_gone(left), "the process that was left behind to end")


@pytest.mark.fault
class TestSignals:
    """The supervisor as a process of its own."""

    DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "

    @pytest.fixture
    def launch(self, tmp_path):
        started = []

        def launch(*codes: str, grace: float = 600) -> subprocess.Popen[bytes]:
            command = [
                sys.executable,
                "-m",
                "infra.local.tests.supervised",
                str(tmp_path),
                str(grace),
                *codes,
            ]
            process = subprocess.Popen(command, stderr=subprocess.PIPE)
            started.append(process)
            wait_for((tmp_path / "started").exists, "the supervisor to start")
            return process

        yield launch
        for process in started:
            process.kill()
            process.wait()
            if process.stderr:
                process.stderr.close()

    @pytest.mark.parametrize("signal_name", ["SIGINT", "SIGTERM", "SIGHUP"])
    def test_signal_ends_all_parts_in_good_order(self, launch, tmp_path, signal_name):
        process = launch(STAYS.format(name="a"), STAYS.format(name="b"))
        parts = [pid_in(tmp_path / "a"), pid_in(tmp_path / "b")]

        process.send_signal(signal.Signals[signal_name])

        assert process.wait() == 0
        assert all(map(is_gone, parts))

    def test_deaf_part_is_killed_after_its_grace_with_its_children(self, launch, tmp_path):
        child = f"[sys.executable, '-c', {self.DEAF + STAYS.format(name='child')!r}]"
        process = launch(
            f"import subprocess, sys; subprocess.Popen({child}, start_new_session=True)\n"
            + self.DEAF
            + STAYS.format(name="parent"),
            grace=0.2,
        )
        parts = [pid_in(tmp_path / "parent"), pid_in(tmp_path / "child")]

        process.terminate()

        assert process.wait() == 0
        assert all(map(is_gone, parts))

    def test_second_interrupt_ends_everything_at_once(self, launch, tmp_path):
        process = launch(self.DEAF + STAYS.format(name="deaf"))
        deaf = pid_in(tmp_path / "deaf")

        process.send_signal(signal.SIGINT)
        wait_for(
            lambda: "Another Ctrl-C" in (tmp_path / "log/bluegreen.log").read_text(), "the first to be noted"
        )
        process.send_signal(signal.SIGINT)

        assert process.wait() == 0
        assert is_gone(deaf)

    def test_killed_supervisor_leaves_nothing_behind_and_frees_its_lock_last(self, launch, tmp_path):
        process = launch(self.DEAF + STAYS.format(name="orphan"))
        orphan = pid_in(tmp_path / "orphan")

        process.kill()
        process.wait()
        (tmp_path / "started").unlink()
        launch(STAYS.format(name="next"))

        assert is_gone(orphan)

    def test_exit_code_and_words_say_that_a_part_has_ended(self, launch):
        process = launch("import time; time.sleep(0.1); raise SystemExit(7)")

        _, words = process.communicate()

        assert process.returncode == 1
        assert b"part0 ended with exit code 7" in words

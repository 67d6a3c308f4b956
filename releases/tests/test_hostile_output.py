"""A Terraform that prints whatever a provider could: the run ends as it would, and its page can be used."""

import time
from pathlib import Path

import pytest

from releases.services.execution import storage
from releases.tests.conftest import text_of
from terraform_runner import claims, process
from terraform_runner.domain import log_bounds
from terraform_runner.domain.log_bounds import PAGE_LINES, WHOLE_BYTES
from terraform_runner.domain.output import LINE_CHARACTERS, Output
from terraform_runner.domain.redaction import Redactor
from terraform_runner.domain.runs import RunStatus
from terraform_runner.hold import Hold
from terraform_runner.models import LogChunk, Run
from terraform_runner.process import Command, Limits
from terraform_runner.selectors import list_lines
from terraform_runner.tests.factories import WORKER
from terraform_runner.tests.support import stand_in

SECRET = "correct-horse-battery"
HOSTILE = rf"""
import sys
out = sys.stdout.buffer
out.write(b"begins\n<script>alert(1)</script>\ncaf\xe9 \x00 nul\n")
out.write(b"\x1b[1;31mred\x1b[0m \x1b]0;title\x07 \x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\\n")
out.write("user\u202eexe.\u2066\n".encode() + b"{SECRET}\n")
out.write(b"x" * 10_000_000 + b"\n")
line = b"y" * 99 + b"\n"
for _ in range(THOUSANDS):
    out.write(line * 1_000)
out.write(b"Error: it ends\n")
out.flush()
sys.exit(1)
"""


@pytest.mark.fault
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("thousands_of_lines", "kept_bytes"),
    [(30, 1_000_000), pytest.param(2_000, WHOLE_BYTES, marks=pytest.mark.long, id="200 MB")],
)
def test_hostile_output_is_kept_within_bounds_and_shown_safely(
    scene, as_user, settings, tmp_path, monkeypatch, thousands_of_lines, kept_bytes
):
    settings.DATA_DIR = tmp_path / "data"
    monkeypatch.setattr(log_bounds, "WHOLE_BYTES", kept_bytes)
    Run.objects.filter(pk=scene.canary.plan_run_id).update(status=RunStatus.QUEUED)
    LogChunk.objects.all().delete()
    run = claims.claim(scene.canary.plan_run_id, worker=WORKER)
    assert run is not None

    program = stand_in(tmp_path, HOSTILE.replace("THOUSANDS", str(thousands_of_lines)))
    print_all(program, run)

    kept = b"".join(storage.read_log(run.pk) or ())
    assert 0.9 * kept_bytes < len(kept) < 1.1 * kept_bytes + LINE_CHARACTERS
    assert b"cut here" in kept
    assert kept.endswith(b"\nError: it ends\n")
    shown = lines_on_the_page(run)
    assert len(shown) == PAGE_LINES
    assert shown[:6] == [
        "begins",
        "<script>alert(1)</script>",
        "caf\ufffd  nul",
        "red  link",
        "userexe.",
        "(masked)",
    ]
    assert shown[6].endswith("(the first part of a line of 10000000 bytes)")
    assert len(shown[6]) < LINE_CHARACTERS + 100
    assert shown[-1] == "Error: it ends"
    assert SECRET.encode() not in kept

    page = text_of(as_user(scene.requester).get(f"/services/catalog/runs/{run.pk}/"))
    assert "&lt;script&gt;alert(1)" in page
    assert not [character for character in page if ord(character) < 32 and character not in "\t\n"]


def print_all(program: str, run: Run) -> None:
    """Run the program as a worker does."""
    output = Output(Redactor([SECRET]))
    with Hold(run, whole_log=storage.whole_log(run.pk)) as hold:
        ended = process.run(
            Command(argv=(program,), directory=Path(program).parent, environment={}),
            limits=Limits(deadline=time.monotonic() + 300, grace_seconds=5),
            control=hold,
            output=output,
        )
    assert ended.exit_code == 1
    assert output.recent[-1] == "Error: it ends"


def lines_on_the_page(run: Run) -> list[str]:
    return [line for _, line in list_lines(run.pk, limit=2 * PAGE_LINES)]

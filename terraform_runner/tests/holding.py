"""A worker of the takeover's tests: ``python -m terraform_runner.tests.holding RUN FOLDER PROGRAM LEASE GRACE``.

It claims the run, holds it while the program runs, and prints how that ended. The test names its database.
"""

import os
import sys
import time
from pathlib import Path
from uuid import UUID

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")
django.setup()

from terraform_runner import claims, process  # noqa: E402 - models can be imported only now
from terraform_runner.domain.output import Output  # noqa: E402
from terraform_runner.domain.redaction import Redactor  # noqa: E402
from terraform_runner.errors import HoldLost, TerraformFailed  # noqa: E402
from terraform_runner.hold import Hold  # noqa: E402
from terraform_runner.process import Command, Limits  # noqa: E402


def main(run_id: str, folder: str, program: str, lease: str, grace: str) -> str:
    """Hold the run for as long as the program runs, start it once more, and record the end."""
    times = {"lease_seconds": float(lease), "grace_seconds": float(grace)}
    run = claims.claim(UUID(run_id), worker=claims.worker_name(), **times)
    assert run is not None
    limits = Limits(deadline=time.monotonic() + 600, grace_seconds=float(grace))
    command = Command(argv=(program,), directory=Path(folder), environment={})
    try:
        with Hold(run, lease_seconds=float(lease)) as hold:
            first = process.run(command, limits=limits, control=hold, output=Output(Redactor()))
            (Path(folder) / "running").unlink()
            process.run(command, limits=limits, control=hold, output=Output(Redactor()))
            claims.finish(run, TerraformFailed(str(first)))
    except HoldLost as error:
        return f"HoldLost: {error}"
    return "recorded"


if __name__ == "__main__":
    sys.stdout.write(main(*sys.argv[1:]))

"""Terraform and AWS as files, for tests that kill processes: a program that takes Terraform's place changes them.

Runner, database, processes and the rules' verification are real. The program knows variables instead of resources: what
is real is a file of them, which its apply changes one at a time, as Terraform changes resources.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from releases.domain.observed.reality import Reality
from releases.models import Service
from releases.services.execution import recovery, runs
from releases.services.tests.world import World
from terraform_runner.claims import worker_name
from terraform_runner.domain.runs import RunStatus
from terraform_runner.models import Run
from terraform_runner.tests.support import stand_in

TERRAFORM = """
import json, os, signal, sys, time
from pathlib import Path
AWS, CALLS = Path({aws!r}), Path({calls!r})
verb = sys.argv[1]
held = Path({held!r}, verb)

def read(path):
    return json.loads(path.read_text()) if path.exists() else {{}}

def write(path, value):
    path.with_suffix(".new").write_text(json.dumps(value))
    os.replace(path.with_suffix(".new"), path)

def take_a_while():
    time.sleep(0.3)
    while held.exists():
        time.sleep(0.02)

def stop(*_):
    sys.exit("Error: interrupted")

signal.signal(signal.SIGINT, stop)
if verb == "version":
    print(json.dumps({{"terraform_version": "1.11.4"}}))
    sys.exit()
state = Path(read(Path("main.tf.json"))["terraform"]["backend"]["local"]["path"])
serial = read(state).get("serial", 0)
if verb == "init":
    print("Initializing the backend...", flush=True)
    take_a_while()
    os.makedirs(os.environ["TF_DATA_DIR"])
    Path(".terraform.lock.hcl").write_text("# locked")
if verb == "plan":
    print("Refreshing state...", flush=True)
    take_a_while()
    wanted, real = read(Path("service.auto.tfvars.json")), read(AWS)
    variables = [[name, real.get(name), wanted[name]] for name in sorted(wanted)]
    out = next(word for word in sys.argv if word.startswith("-out=")).removeprefix("-out=")
    Path(out).write_text(json.dumps({{"serial": serial, "variables": variables}}))
if verb == "show":
    print(json.dumps({{
        "format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": [
            {{
                "address": f"module.service.variable.{{name}}", "mode": "managed", "type": "variable", "name": name,
                "provider_name": "tests", "change": {{
                    "actions": ["no-op" if before == after else "update"], "after_unknown": {{}},
                    "before": {{"value": before}}, "after": {{"value": after}},
                }},
            }}
            for name, before, after in read(Path(sys.argv[-1]))["variables"]
        ],
    }}))
if verb == "apply":
    plan = read(Path(sys.argv[-1]))
    if plan["serial"] != serial:
        sys.exit("Error: Saved plan is stale")
    for name, before, after in plan["variables"]:
        if before == after:
            continue
        write(AWS, read(AWS) | {{name: after}})
        with CALLS.open("a") as file:
            file.write(json.dumps([name, after]) + "\\n")
        print(f"{{name}}: Modifying...", flush=True)
        take_a_while()
    write(state, {{"version": 4, "terraform_version": "1.11.4", "lineage": "one", "serial": serial + 1}})
if verb == "output":
    print({outputs!r})
"""


class FileWorld(World):
    """The world of the orchestrator's tests, where what is real is a file that survives any process.

    A verb of Terraform takes as long as there is a file of its name in ``held``.
    """

    def __init__(self, folder: Path, arns: Mapping[str, Any]) -> None:
        super().__init__()
        self.aws, self.calls, self.held = folder / "aws.json", folder / "calls", folder / "held"
        self.held.mkdir(parents=True)
        outputs = {name: {"value": arn, "sensitive": False} for name, arn in arns.items()}
        code = TERRAFORM.format(
            aws=str(self.aws), calls=str(self.calls), held=str(self.held), outputs=json.dumps(outputs)
        )
        self.program = stand_in(folder, code)

    def read_reality(self, service: Service) -> Reality:
        self._become(self.real())
        return super().read_reality(service)

    def real(self) -> dict[str, Any]:
        """What is real, as the variables that would make it."""
        found: dict[str, Any] = json.loads(self.aws.read_text())
        return found

    def work(self) -> None:
        """As a worker and the scheduler of this machine would."""
        while queued := list(Run.objects.filter(status=RunStatus.QUEUED).order_by("queued_at")):
            for run in queued:
                runs.execute(run.pk, worker=worker_name())
        recovery.sweep()

    def changes(self, name: str) -> list[Any]:
        """The values that a variable was given at AWS, one for each time that somebody changed it."""
        lines = [json.loads(line) for line in self.calls.read_text().splitlines()]
        return [value for changed, value in lines if changed == name]

"""What several tests of the runner need: stand-ins for Terraform, a control that remembers, plans."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from terraform_runner import launcher
from terraform_runner.domain.tools import Tools
from terraform_runner.encrypted_objects import EncryptedObjects
from terraform_runner.encryption import KeyRing
from terraform_runner.objects import LocalObjects

PLANS = Path(__file__).parent / "plans"

# Answers as Terraform does, without doing anything. What it does beyond that is chosen by STAND_IN.
TERRAFORM = """
import json, os, signal, sys, time
LOCKED = '''
provider "registry.terraform.io/hashicorp/aws" {
  version     = "6.2.0"
  constraints = ">= 6.0.0"
  hashes = [
    "h1:x",
  ]
}
'''
verb = sys.argv[1]
if verb == "version":
    print(json.dumps({"terraform_version": os.environ.get("VERSION", "1.11.4")}))
elif verb == "init":
    print("Initializing the backend...")
    os.makedirs(os.environ["TF_DATA_DIR"])
    open(".terraform.lock.hcl", "w").write("# locked" + LOCKED)
elif verb == "plan":
    out = next(word for word in sys.argv if word.startswith("-out="))
    open(out.removeprefix("-out="), "w").write("a plan")
elif verb == "show":
    print(json.dumps({"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": []}))
elif verb == "state" and sys.argv[2] == "push":
    place = json.load(open("main.tf.json"))["terraform"]["backend"]["local"]["path"]
    open(place, "w").write(open(sys.argv[-1]).read())
elif verb == "output":
    print("{}")
mode, _, argument = os.environ.get("STAND_IN", "").partition("=")
if mode == "write environment" and verb == "plan":
    json.dump(dict(os.environ), open(argument, "w"))
if mode == "write arguments":
    print(json.dumps(sys.argv[1:]), file=open(argument, "a"))
if mode == "fail" and verb == argument:
    sys.exit("Error: it failed")
if mode == "lose state" and verb == "apply":
    open("errored.tfstate", "w").write("{}")
    sys.exit("Error: Failed to persist state to backend")
if mode == "finish anyway" and verb == "apply":
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("applied", flush=True)
    time.sleep(0.5)
if mode == "hang" and verb == argument:
    print("hanging", flush=True)
    time.sleep(600)
"""


def stand_in(folder: Path, code: str = TERRAFORM) -> str:
    """A program that runs this Python code, to take Terraform's place."""
    program = folder / "terraform"
    program.write_text(f"#!{sys.executable} -I\n{code}")
    program.chmod(0o700)
    return str(program)


def encrypted(folder: Path, name: str) -> EncryptedObjects:
    """A local folder of encrypted objects."""
    return EncryptedObjects(LocalObjects(folder / name), KeyRing({"test": bytes(32)}), folder=name)


class RecordingControl:
    """Remembers what it is told, and asks to stop as soon as ``stop_when`` says so of the lines so far."""

    def __init__(self, stop_when: Callable[[list[str]], bool] = lambda _: False) -> None:
        self.seen: list[str] = []
        self.groups: list[int] = []
        self.tools: list[Tools] = []
        self._stop_when = stop_when

    def lines(self, lines: list[str]) -> None:
        self.seen.extend(lines)

    def should_stop(self) -> str | None:
        return "asked to stop" if self._stop_when(self.seen) else None

    def holds_until(self) -> float:
        return launcher.now() + 3600

    def process_started(self, group: int, started: float) -> None:
        self.groups.append(group)

    def begins(self, tools: Tools) -> None:
        self.tools.append(tools)


def real_plan(name: str) -> dict[str, Any]:
    """What ``terraform show -json`` printed for the blue-green module, shortened."""
    document: dict[str, Any] = json.loads((PLANS / f"{name}.json").read_text())
    return document


def resource_change(**change: Any) -> dict[str, Any]:
    """One element of ``resource_changes``: an update of a resource, but for what is given."""
    return {
        "address": "aws_x.one",
        "mode": "managed",
        "type": "aws_x",
        "name": "one",
        "provider_name": "p",
        "change": {"actions": ["update"], "before": {}, "after": {}, "after_unknown": {}} | change,
    }


def plan_document(*changes: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A plan's JSON with these resource changes."""
    return {"format_version": "1.2", "terraform_version": "1.11.4", "resource_changes": list(changes), **more}

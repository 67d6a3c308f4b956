"""How Bluegreen's own processes are started."""

import inspect
import re

from infra.local import parts
from infra.local.parts import Machine, bluegreen
from infra.local.paths import ROOT
from infra.local.secrets import load_secrets
from releases import worker_life


def test_the_web_process_believes_no_header_about_who_connects(tmp_path):
    """The address that a person adds to the canary is the connection's; uvicorn would take a forwarded one."""
    machine = Machine(data_dir=tmp_path, port=8000, secrets=load_secrets(tmp_path))
    (web,) = (part for part in bluegreen(machine, {}) if part.name == "web")
    assert "--no-proxy-headers" in web.command
    assert "--host=127.0.0.1" in web.command


def test_every_setting_is_passed_on_or_worked_out():
    read = set(re.findall(r'env\.\w+\(\s*"(BLUEGREEN_\w+)"', (ROOT / "bluegreen/settings.py").read_text()))
    worked_out = set(re.findall(r'"(BLUEGREEN_\w+)":', inspect.getsource(parts)))
    assert read <= worked_out | set(parts.PASSED_ON)


def test_both_workers_are_started_again_when_they_ask_for_it(tmp_path):
    machine = Machine(data_dir=tmp_path, port=8000, secrets=load_secrets(tmp_path))
    asking = {
        part.name for part in bluegreen(machine, {}) if part.start_again_code == worker_life.START_AGAIN
    }
    assert asking == {"worker", "urgent-worker"}


def test_the_docs_start_the_web_process_as_it_is_started_here(tmp_path):
    """But for others, with more processes, and with the proxy's word for who connects."""
    machine = Machine(data_dir=tmp_path, port=8000, secrets=load_secrets(tmp_path))
    (web,) = (part for part in bluegreen(machine, {}) if part.name == "web")
    (line,) = re.findall(r"^ExecStart=\S+/python (.*)$", (ROOT / "docs/web.md").read_text(), re.MULTILINE)
    told, own = set(line.split()), set(web.command[1:])
    assert told - own == {"--host=0.0.0.0", "--workers=2"}
    assert own - told == {"--host=127.0.0.1", "--no-proxy-headers"}

import subprocess
import sys

import pytest

from infra.local.paths import ROOT

pytestmark = pytest.mark.process

USES_DATABASE = """
import os, psycopg, sys, urllib.parse
folder, name = urllib.parse.urlsplit(os.environ["DATABASE_URL"]).path[1:].rsplit("/", 1)
with psycopg.connect(host=folder, user="bluegreen", dbname=name) as connection:
    print(connection.execute("SELECT 6 * 7").fetchone()[0])
sys.exit(3)
"""


def test_command_has_a_database_and_its_exit_code_is_passed_on(monkeypatch):
    monkeypatch.delenv("DATABASE_URL")
    command = [sys.executable, "-m", "infra.local.throwaway", sys.executable, "-c", USES_DATABASE]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert (done.returncode, done.stdout) == (3, "42\n"), done.stderr

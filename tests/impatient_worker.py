"""A worker to which a message is delivered again after five seconds: ``python -m tests.impatient_worker``."""

import sys

from celery.bin.celery import main as celery

from bluegreen import worker
from bluegreen.celery import app

SECONDS = 5


def main() -> None:
    """Become a worker like any other, but for that."""
    options = app.conf.broker_transport_options
    app.conf.broker_transport_options = {**options, "visibility_timeout": SECONDS}
    command = worker.command(urgent=False)
    sys.argv = command[command.index("celery") :]
    celery()


if __name__ == "__main__":
    main()

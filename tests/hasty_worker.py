"""A worker whose broker takes a message for lost after five seconds: ``python -m tests.hasty_worker``."""

import sys

from celery.bin.celery import main as celery

from bluegreen import worker
from bluegreen.celery import app

VISIBILITY_SECONDS = 5

if __name__ == "__main__":
    app.conf.broker_transport_options = {
        **app.conf.broker_transport_options,
        "visibility_timeout": VISIBILITY_SECONDS,
    }
    command = worker.command(urgent=False)
    sys.argv = command[command.index("celery") :]
    celery()

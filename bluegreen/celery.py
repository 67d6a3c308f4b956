"""The Celery application: workers are started with ``celery -A bluegreen``."""

import os

from celery import Celery
from kombu.transport.redis import Channel

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")

# What was taken over a connection that is lost cannot be given back over it, and a worker ends where kombu tries to. It
# need not: the database is the truth, and the sweeper sends again what waits there.
Channel.do_restore = False

app = Celery("bluegreen")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

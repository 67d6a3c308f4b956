"""The Celery application: workers are started with ``celery -A bluegreen``."""

import os

from celery import Celery
from kombu.transport.redis import Channel

# A worker that loses its broker would give back what it has not acknowledged, for which kombu needs that broker: it
# fails, and ends with its worker whatever that runs. The sweeper sends again what nobody has taken.
Channel.do_restore = False

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")

app = Celery("bluegreen")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

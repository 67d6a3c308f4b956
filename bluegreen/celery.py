"""The Celery application: workers are started with ``celery -A bluegreen``."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")

app = Celery("bluegreen")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

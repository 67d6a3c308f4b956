"""The Celery application: workers are started with ``celery -A bluegreen``."""

import os
from typing import Any

from celery import Celery
from kombu.transport.redis import Channel, Transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")


class ForgottenChannel(Channel):
    """Says that its connection is lost where kombu has forgotten it by then, which it takes for a fault of its own.

    It wants to give back what was in hand, over that very connection: a worker ends by such a fault, not by a loss.
    """

    def _connparams(self, *, asynchronous: bool = False) -> dict[str, Any]:
        if self.connection.client is None:
            raise ConnectionError("The connection to the broker is closed.")
        made: dict[str, Any] = super()._connparams(asynchronous=asynchronous)  # type: ignore[misc]  # not in its stubs
        return made


Transport.Channel = ForgottenChannel

app = Celery("bluegreen")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

"""The ASGI entry point of the web process."""

import os
import threading

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")

application = get_asgi_application()

# Only now: models can't be imported before Django is set up.
from django.conf import settings  # noqa: E402

from releases.services.execution.accounts import connect_to_aws  # noqa: E402
from releases.services.rollback.watchman import Watchman  # noqa: E402
from terraform_runner.claims import worker_name  # noqa: E402

# Beside the first requests: they don't need it, and the database may be on its way up.
if not settings.BUTTON_BY_WORKER:
    threading.Thread(target=connect_to_aws, daemon=True).start()
Watchman(worker_name(), has_aws=not settings.BUTTON_BY_WORKER).start()

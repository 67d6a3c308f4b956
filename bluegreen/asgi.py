"""The ASGI entry point of the web process."""

import os
import threading

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bluegreen.settings")

application = get_asgi_application()

# Only now: models can't be imported before Django is set up.
from releases.services.accounts import connect_to_aws  # noqa: E402

# Beside the first requests: they don't need it, and the database may be on its way up.
threading.Thread(target=connect_to_aws, daemon=True).start()

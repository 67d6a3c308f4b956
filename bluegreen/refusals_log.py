"""A refusal is an answer as it should be: the log has one line of it, without the traceback that errors have."""

import logging

from django.core.exceptions import PermissionDenied


class RefusalFilter(logging.Filter):
    """Rewrites Django's line about a page's 403: who was refused what, and the reason that they read."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Let every line through."""
        raised = record.exc_info[1] if record.exc_info else None
        if isinstance(raised, PermissionDenied):
            request = record.__dict__["request"]
            told = (getattr(request, "user", "nobody"), request.method, request.path, raised)
            record.msg = "refused to %s: %s %s: %s"
            # As Django does with the path: nothing that was typed makes a line of its own.
            record.args = tuple(str(one).encode("unicode_escape").decode("ascii") for one in told)
            record.exc_info = None
        return True

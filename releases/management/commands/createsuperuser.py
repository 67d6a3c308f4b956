"""``manage.py createsuperuser``: refused, since Django's own would leave no event."""

from releases.management.refused import RefusedCommand


class Command(RefusedCommand):
    """Says what to use instead."""

    help = __doc__
    instead = "Nobody may do more here by being a superuser. Use `manage.py add_person NAME --admin`."

"""``manage.py changepassword``: refused, since Django's own would leave no event."""

from releases.management.refused import RefusedCommand


class Command(RefusedCommand):
    """Says what to use instead."""

    help = __doc__
    instead = (
        "People set their passwords themselves. Use `manage.py add_person NAME --new-password` for a link."
    )

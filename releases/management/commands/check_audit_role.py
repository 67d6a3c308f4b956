"""``manage.py check_audit_role``: whether the application's database role could change the audit trail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.roles import problems


class Command(BaseCommand):
    """Run it with the ``DATABASE_URL`` that the web and worker processes have."""

    help = __doc__

    def handle(self, *args: Any, **options: Any) -> None:
        """Say that it could not, or fail with by what it could."""
        if found := problems():
            raise CommandError(
                "This database role could change the audit trail:\n"
                + "\n".join(found)
                + "\nGive the application a role of its own by audit/application_role.sql (docs/audit.md)."
            )
        self.stdout.write("This database role can add to the audit trail and read it, and nothing else.")

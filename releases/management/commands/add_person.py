"""``manage.py add_person``: an account, and the first administrator, made by who runs the machine."""

from typing import Any

from django.contrib.auth.models import Group, User
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from audit import events
from audit.events import Actor
from releases.domain.access.roles import Role
from releases.permissions import grant_set_up, may_set_up_services
from releases.services.access import people
from releases.services.access.roles import EVERYWHERE, record_given
from releases.services.errors import FieldsInvalid

COMMAND = Actor(id="", name="manage.py add_person", via="command")


class Command(BaseCommand):
    """Idempotent; prints the link by which somebody without a password sets one."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """The user name, and what else the person may."""
        parser.add_argument("name")
        parser.add_argument("--may-set-up", action="store_true", help="let the person set up new services")
        parser.add_argument(
            "--admin", action="store_true", help="make the person an administrator everywhere"
        )
        parser.add_argument(
            "--new-password",
            action="store_true",
            help="end the password, so that another one is set by a link",
        )
        parser.add_argument(
            "--group",
            action="append",
            default=[],
            help="put the person into this group, which is made if need be",
        )

    @transaction.atomic
    def handle(self, *args: Any, **options: Any) -> None:
        """Make the account where it is not there, and give what is asked for; each is an event."""
        name = options["name"]
        try:
            user = User.objects.filter(username=name).first() or people.record_added(name, actor=COMMAND)
            for group in options["group"]:
                people.record_member(_group(group), user, actor=COMMAND)
        except FieldsInvalid as error:
            raise CommandError(f"“{name[:60]}” cannot be added: {error.message}") from error
        if options["new_password"]:
            people.record_password_ended(user, actor=COMMAND)
        if options["may_set_up"] and not may_set_up_services(user):
            _let_set_up(user)
        if options["admin"]:
            record_given(Role.ADMIN, user, EVERYWHERE, actor=COMMAND)
        if not user.has_usable_password() and user.is_active:
            self.stdout.write(f"{name} sets a password there: {people.password_link(user)}")


def _group(name: str) -> Group:
    return Group.objects.filter(name=name).first() or people.record_group(name, actor=COMMAND)


def _let_set_up(user: User) -> None:
    grant_set_up(user)
    subject = {"person": user.get_username()}
    events.record(actor=COMMAND, action="person.changed", subject=subject, after={"may_set_up": True})

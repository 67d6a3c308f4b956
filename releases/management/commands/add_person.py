"""``manage.py add_person``: an account, and the first administrator, made by who runs the machine."""

from typing import Any

from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from audit import events
from audit.events import Actor
from releases.domain.roles import Role
from releases.permissions import grant_set_up
from releases.services.roles import EVERYWHERE, record_given

COMMAND = Actor(id="", name="manage.py add_person", via="command")


class Command(BaseCommand):
    """Idempotent; the password is set by ``manage.py changepassword``, and until then nobody signs in."""

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        """The user name, and what else the person may."""
        parser.add_argument("name")
        parser.add_argument("--may-set-up", action="store_true", help="let the person set up new services")
        parser.add_argument(
            "--admin", action="store_true", help="make the person an administrator everywhere"
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
        name, may_set_up = options["name"], options["may_set_up"]
        try:
            User._meta.get_field("username").clean(name, None)
        except ValidationError as error:
            raise CommandError(f"“{name[:60]}” is no user name.") from error
        user, made = User.objects.get_or_create(username=name)
        if made:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        if may_set_up:
            grant_set_up(user)
        if options["admin"]:
            record_given(Role.ADMIN, user, EVERYWHERE, actor=COMMAND)
        groups = [Group.objects.get_or_create(name=group)[0] for group in options["group"]]
        user.groups.add(*groups)
        events.record(
            actor=COMMAND,
            action="person.added" if made else "person.changed",
            service_id="",
            subject={"person": name},
            after={"may_set_up": may_set_up, "groups": sorted(group.name for group in groups)},
        )

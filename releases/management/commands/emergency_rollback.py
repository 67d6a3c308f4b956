"""``manage.py emergency_rollback SERVICE [--offline FILE]``: the emergency button without web, broker and workers."""

import argparse
import getpass
import socket
import time
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from releases.domain.access.decisions import Permission, Person
from releases.domain.errors import DomainError
from releases.models import EmergencyRollback, Service
from releases.services.execution.patience import DATABASE_AWAY
from releases.services.rollback import emergency, kept_presses, offline, safe_traffic
from releases.services.rollback.kept_presses import Pressing
from releases.services.rollback.watchman import Watchman
from terraform_runner.claims import worker_name

WATCH_SECONDS = 120
LOOK_SECONDS = 0.5
# Whoever has a shell here has all rights anyway; the trail says who it was.
PERSON = Person(id="", is_active=True, permissions=frozenset({Permission.EMERGENCY}))


class Command(BaseCommand):
    """Brings all users of a service to its safe colour, and sees to it for two minutes that they stay there.

    ``--offline`` needs no database, but the file that is kept up to date beside the artifacts (docs/emergency.md); the
    press is recorded by itself when the database is back.
    """

    help = __doc__
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """The number of seconds is for those who watch otherwise."""
        parser.add_argument("service", help="its name")
        parser.add_argument("--offline", metavar="FILE", type=Path, help="without a database, from this file")
        parser.add_argument(
            "--seconds", type=float, default=WATCH_SECONDS, help="how long to watch the rules"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Say each thing when it has been read back, and fail where the traffic is not back at the end."""
        act = self._offline if options["offline"] else self._online
        problem = act(options)
        if problem:
            raise CommandError(f"The traffic is NOT known to be back: {problem}")

    def _online(self, options: dict[str, Any]) -> str:
        try:
            service = Service.objects.filter(name=options["service"]).first()
            if service is None:
                raise CommandError(f"There is no service “{options['service']}”.")
            emergency.refuse_unless_allowed(service, PERSON)
            rollback = emergency.press(emergency.pressing_of(service, _name()))
        except DomainError as error:
            raise CommandError(error.message) from error
        except DATABASE_AWAY as error:
            raise CommandError(f"The database does not answer ({error}). Use --offline FILE.") from error
        self._say(rollback.problem or f"All traffic is on {rollback.safe_color}, read back from the rules.")
        return self._watch(rollback, options["seconds"])

    def _watch(self, rollback: EmergencyRollback, seconds: float) -> str:
        watchman, said, until = Watchman(worker_name()), rollback.problem, time.monotonic() + seconds
        watchman.start()
        try:
            while time.monotonic() < until:
                time.sleep(LOOK_SECONDS)
                rollback = _again(rollback)
                if rollback.problem != said:
                    said = rollback.problem
                    self._say(said or "The traffic is back, read from the rules.")
        finally:
            watchman.stop()
        return rollback.problem

    def _offline(self, options: dict[str, Any]) -> str:
        pressing = _read(options["offline"], options["service"])
        kept_presses.keep(pressing)
        problem = safe_traffic.bring_back(pressing.traffic)
        self._say(problem or f"All traffic is on {pressing.traffic.safe_color}, read back from the rules.")
        until = time.monotonic() + options["seconds"]
        while time.monotonic() < until:
            time.sleep(LOOK_SECONDS)
            differs = safe_traffic.problem_read_back(pressing.traffic)
            problem = safe_traffic.bring_back(pressing.traffic) if differs else ""
            if differs:
                self._say(problem or "The rules led elsewhere: they are set again.")
        self._say("The press is recorded by itself when the database is back.")
        return problem

    def _say(self, text: str) -> None:
        self.stdout.write(f"{timezone.now():%H:%M:%S} {text}")


def _name() -> str:
    return f"{getpass.getuser()}@{socket.gethostname()}"


def _read(file: Path, service: str) -> Pressing:
    try:
        return offline.pressing_from(file.read_text(), service, name=_name())
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error}.") from error
    except KeyError as error:
        raise CommandError(f"“{service}” is not in {file}, or not with all that is needed.") from error
    except (TypeError, ValueError) as error:
        raise CommandError(f"{file} is not the file that Bluegreen keeps for this: {error}.") from error


def _again(rollback: EmergencyRollback) -> EmergencyRollback:
    """As the database has it; as it was while the database does not say."""
    try:
        return EmergencyRollback.objects.filter(presses=rollback.pk).first() or rollback
    except DATABASE_AWAY:
        return rollback

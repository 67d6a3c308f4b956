"""Notices when the database's clock is moved: leases, which it measures, mean nothing for a while then."""

import logging
import socket
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from django.db import connection, transaction

from terraform_runner import launcher
from terraform_runner.models import ClockReading

logger = logging.getLogger(__name__)

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
JUMP_SECONDS = 30.0


def can_be_trusted(*, lease_seconds: float, on_jump: Callable[[float], None] = lambda _: None) -> bool:
    """Whether the database's clock has gone as this machine's own has, now and for a lease's time.

    What begins with a reading to compare with: false for the first call on a machine. ``on_jump`` is told, in the same
    transaction, by how many seconds the clock has been moved; each machine notices that for itself.
    """
    with transaction.atomic():
        before = ClockReading.objects.select_for_update().filter(pk=machine()).first()
        reading = _read()
        if before is None:
            reading.save()
            return False
        jump = _compare(before, reading)
        reading.save()
        if jump:
            on_jump(jump)
    quiet = timedelta(seconds=lease_seconds)
    return reading.jumped_at is None or reading.read_at - reading.jumped_at > quiet


def machine() -> str:
    """What all processes of this machine have in common until it starts again."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return socket.gethostname()


def _read() -> ClockReading:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        row: tuple[datetime] = cursor.fetchone()
    return ClockReading(machine=machine(), read_at=row[0], own_seconds=launcher.now())


def _compare(before: ClockReading, reading: ClockReading) -> float:
    """By how far the clock was moved in between; 0 where it was not, or was put right a little."""
    passed = (reading.read_at - before.read_at).total_seconds()
    jump = passed - (reading.own_seconds - before.own_seconds)
    if abs(jump) > JUMP_SECONDS:
        logger.warning("the database's clock has jumped by %.0f s: nothing is taken over for a lease", jump)
        reading.jumped_at, reading.jump_seconds = reading.read_at, jump
        return jump
    reading.jumped_at, reading.jump_seconds = before.jumped_at, before.jump_seconds
    return 0

"""A program of many processes that record at once: ``python -m audit.tests.herd WRITERS EVENTS``.

Of each event that is committed it writes a line, ``WRITER EVENT``. Every seventh is taken back; every fifth writer
is killed on its way; the first one stands still with the chain's lock until the others have ended.
"""

import os
import random
import signal
import sys
import threading

import django

TAKEN_BACK_EVERY, KILLED_EVERY = 7, 5


def main() -> None:
    """Start the writers, wait for all that move, and end the one that stands still."""
    writers, events = int(sys.argv[1]), int(sys.argv[2])
    django.setup()
    stuck = _fork(_stand_still)
    os.waitpid(stuck, os.WUNTRACED)
    moving = [_fork(_write, str(number), events) for number in range(1, writers)]
    for pid in moving:
        os.waitpid(pid, 0)
    os.kill(stuck, signal.SIGKILL)
    os.waitpid(stuck, 0)


def _fork(act, *given) -> int:
    pid = os.fork()
    if pid == 0:
        act(*given)
        os._exit(0)
    return pid


def _stand_still() -> None:
    """Numbers its event before its commit, so that it has the chain's lock from then on."""
    from django.db import connection, transaction  # noqa: PLC0415 - Django is set up by now

    with transaction.atomic():
        _record("0", 0)
        connection.check_constraints()
        os.kill(os.getpid(), signal.SIGSTOP)


def _write(name: str, events: int) -> None:
    from django.db import transaction  # noqa: PLC0415 - Django is set up by now

    _connect_patiently()
    if int(name) % KILLED_EVERY == 0:
        threading.Timer(random.uniform(5, 10), os.kill, (os.getpid(), signal.SIGKILL)).start()
    for number in range(events):
        is_taken_back = number % TAKEN_BACK_EVERY == 3
        with transaction.atomic():
            _record(name, number)
            transaction.set_rollback(is_taken_back)
        if not is_taken_back:
            os.write(1, f"{name} {number}\n".encode())


def _connect_patiently() -> None:
    """A busy machine may let a writer wait for its connection, or rest in a transaction, longer than a program may."""
    from django.db import OperationalError, connection  # noqa: PLC0415 - Django is set up by now

    for patience in range(30, -1, -1):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SET idle_in_transaction_session_timeout = '10min'")
            return
        except OperationalError:
            if not patience:
                raise


def _record(name: str, number: int) -> None:
    from audit.events import Actor, record  # noqa: PLC0415 - Django is set up by now

    actor = Actor(id=name, name=name, via="worker")
    record(actor=actor, action="step.started", after={"number": number})


if __name__ == "__main__":
    main()

import os

import pytest

from terraform_runner import handing_over
from terraform_runner.hold import Hold
from terraform_runner.models import Run


@pytest.fixture(autouse=True)
def _not_asked():
    """What a test asks for is forgotten."""
    yield
    handing_over._asked[0] = 0


def test_what_the_main_process_asks_for_is_seen_by_those_that_it_has_forked():
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        while not handing_over.is_asked():
            pass
        os.write(writing, b"seen")
        os._exit(0)

    assert not handing_over.is_asked()
    handing_over.ask()

    assert os.read(reading, 10) == b"seen"
    os.waitpid(child, 0)
    os.close(reading)
    os.close(writing)


def test_run_that_is_handed_over_is_asked_to_stop_and_told_why():
    hold = Hold(Run())

    handing_over.ask()

    assert hold.should_stop() == "Its worker is being stopped, so another one goes on with it."

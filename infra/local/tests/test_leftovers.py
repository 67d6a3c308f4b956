"""A thread that a test leaves behind is found; one that is about to end is waited for."""

import threading

import pytest

from infra.local.tests.leftovers import threads_left


@pytest.fixture
def over():
    """Ends what the test starts."""
    made = threading.Event()
    yield made
    made.set()


def test_a_thread_that_goes_on_is_named(over):
    before = threading.enumerate()
    threading.Thread(target=lambda: over.wait(), name="goes on").start()
    assert threads_left(before, seconds=0) == ["goes on"]


def test_a_timer_that_is_still_to_come_is_named():
    before = threading.enumerate()
    timer = threading.Timer(600, lambda: None)
    timer.name = "much later"
    timer.start()
    assert threads_left(before, seconds=0) == ["much later"]
    timer.cancel()


def test_one_that_is_about_to_end_is_waited_for(over):
    before = threading.enumerate()
    threading.Thread(target=lambda: over.wait(), name="ends").start()
    threading.Timer(0.1, over.set).start()
    assert threads_left(before, seconds=60) == []


def test_what_was_there_before_and_what_is_not_ours_may_stay(over):
    threading.Thread(target=lambda: over.wait(), name="before").start()
    before = threading.enumerate()
    threading.Thread(target=over.wait, name="of a library").start()
    assert threads_left(before, seconds=0) == []

from datetime import timedelta

from releases.domain.messaging.retries import MOST_TRIES, wait_after


def test_each_wait_is_twice_the_one_before_up_to_an_hour_and_then_it_is_given_up():
    waits = [wait_after(tries) for tries in range(1, MOST_TRIES)]
    assert waits[:4] == [timedelta(seconds=seconds) for seconds in (10, 20, 40, 80)]
    assert waits[-1] == timedelta(hours=1)
    assert timedelta(hours=3) < sum(filter(None, waits), timedelta()) < timedelta(hours=4)
    assert wait_after(MOST_TRIES) is None

import pytest

from bench.errors import CannotMeasure
from bench.sandbox import requests_a_second


def test_rate_is_of_what_the_load_balancer_counted(sandbox):
    assert requests_a_second(f"{sandbox.url}/-/sandbox/counts", seconds=0.2) > 0


def test_answer_other_than_200_gives_no_rate(sandbox):
    with pytest.raises(CannotMeasure, match=r"answered 404\.$"):
        requests_a_second(f"{sandbox.url}/-/sandbox/nothing", seconds=5)

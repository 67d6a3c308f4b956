from bench import pairs


def test_both_ways_are_taken_in_turn_and_kept_apart():
    taken = []

    def take(name: str, seconds: float) -> float:
        taken.append(name)
        return seconds

    measured, baseline = pairs.in_turn(lambda: take("A", 1.0), lambda: take("B", 2.0))

    assert taken == ["A", "B"] * pairs.PAIRS
    assert (measured, baseline) == ([1.0] * pairs.PAIRS, [2.0] * pairs.PAIRS)

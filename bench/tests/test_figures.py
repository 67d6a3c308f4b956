import json

import pytest

from bench.figures import Figure, Goal, percentile, read_figures, table, write_figures

AT_MOST = Goal(on="ratio", at_most=0.05)
RATE = Figure(
    name="sandbox", value=1234.56789, unit="requests/s", samples=5, goal=Goal(on="value", at_least=500)
)


def pair_figure(*, value: float, baseline: float) -> Figure:
    return Figure.of_pairs("emergency", [value], [baseline], goal=AT_MOST)


def test_pairs_give_their_medians_and_the_ratio_of_these():
    figure = Figure.of_pairs("emergency", [0.1, 9.0, 0.2], [4.0, 2.0, 90.0], goal=AT_MOST)

    assert (figure.value, figure.baseline, figure.ratio, figure.samples) == (0.2, 4.0, 0.05, 3)


@pytest.mark.parametrize(("value", "holds"), [(0.1, True), (0.05, True), (0.2, False)])
def test_goal_on_the_ratio_holds_up_to_its_bound(value, holds):
    assert pair_figure(value=value, baseline=2.0).meets_goal is holds


@pytest.mark.parametrize(("value", "holds"), [(500.0, True), (499.9, False)])
def test_goal_on_the_value_holds_from_its_bound(value, holds):
    figure = Figure(
        name="sandbox", value=value, unit="requests/s", samples=5, goal=Goal(on="value", at_least=500)
    )

    assert figure.meets_goal is holds


def test_goal_on_a_ratio_without_a_baseline_is_missed():
    assert not Figure(name="sandbox", value=0.0, unit="s", samples=1, goal=AT_MOST).meets_goal


def test_99th_percentile_of_a_hundred_leaves_out_the_slowest_only():
    assert percentile([float(number) for number in range(100, 0, -1)], 99) == 99.0


def test_99th_percentile_of_a_few_is_the_slowest():
    assert percentile([0.3, 0.1, 0.2], 99) == 0.3


def test_file_has_the_documented_fields(tmp_path):
    write_figures(tmp_path / "new" / "bench.json", [RATE, pair_figure(value=0.1, baseline=3.0)])

    assert json.loads((tmp_path / "new" / "bench.json").read_text()) == [
        {
            "name": "sandbox",
            "value": 1234.5679,
            "unit": "requests/s",
            "baseline": None,
            "ratio": None,
            "samples": 5,
            "goal": {"on": "value", "at_least": 500},
        },
        {
            "name": "emergency",
            "value": 0.1,
            "unit": "s",
            "baseline": 3.0,
            "ratio": 0.0333,
            "samples": 1,
            "goal": {"on": "ratio", "at_most": 0.05},
        },
    ]


def test_what_was_written_is_read_again(tmp_path):
    figures = [pair_figure(value=0.25, baseline=4.0)]
    write_figures(tmp_path / "bench.json", figures)

    assert read_figures(tmp_path / "bench.json") == figures


def test_table_says_of_each_figure_whether_its_goal_holds():
    _, rate, pair = table([RATE, pair_figure(value=0.25, baseline=4.0)]).splitlines()

    assert rate.startswith("sandbox    1,235 requests/s  -")
    assert rate.endswith("value at least 500  holds")
    assert pair.endswith("ratio at most 0.05  MISSED")

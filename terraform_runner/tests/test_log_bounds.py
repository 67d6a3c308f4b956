from hypothesis import given
from hypothesis import strategies as st

from terraform_runner.domain import log_bounds
from terraform_runner.domain.log_bounds import LAST_LINES, Bounds, page_bounds, size_of, whole_bounds

NOTE = "… (missing)"
LINES = st.lists(
    st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=5), max_size=400
)


def kept(bounds: Bounds, lines: list[str]) -> list[str]:
    return [*bounds.take(lines), *bounds.end()]


def bounds(*, size: int = 10**9, lines: int | None = None) -> Bounds:
    return Bounds(size=size, lines=lines, note=NOTE)


@given(LINES)
def test_a_log_within_the_bounds_stays_as_it_is(lines):
    assert kept(bounds(lines=LAST_LINES + 1 + len(lines)), lines) == lines


@given(LINES, st.integers(LAST_LINES + 1, 300))
def test_there_are_never_more_lines_than_there_may_be(lines, most):
    found = kept(bounds(lines=most), lines)

    assert len(found) <= most
    assert (found == lines) or NOTE in found


@given(LINES, st.integers(0, 500))
def test_there_are_never_more_bytes_but_for_the_last_lines(lines, most):
    within = bounds(size=most)

    assert sum(map(size_of, within.take(lines))) <= most
    assert len(within.end()) <= LAST_LINES + 1


@given(LINES, st.integers(0, 300), st.data())
def test_it_does_not_matter_how_the_lines_arrive(lines, most, data):
    cut = data.draw(st.integers(0, len(lines)))
    piecewise = bounds(size=most)
    found = [*piecewise.take(lines[:cut]), *piecewise.take(lines[cut:]), *piecewise.end()]

    assert found == kept(bounds(size=most), lines)


def test_the_beginning_and_the_end_are_kept_with_a_note_between_them():
    lines = [str(number) for number in range(1_000)]

    assert kept(bounds(lines=LAST_LINES + 4), lines) == ["0", "1", "2", NOTE, *lines[-LAST_LINES:]]


def test_after_one_line_that_was_too_big_nothing_smaller_slips_through():
    assert bounds(size=5).take(["ab", "abcdef", "c"]) == ["ab"]


def test_a_line_is_measured_as_it_is_written():
    assert size_of("│é") == len("│é\n".encode())


def test_the_page_says_where_the_rest_is_and_the_whole_log_where_it_was_cut(monkeypatch):
    monkeypatch.setattr(log_bounds, "PAGE_LINES", LAST_LINES + 1)
    lines = ["x"] * (LAST_LINES + 5)
    assert "“Download all”" in kept(page_bounds(), lines)[0]

    monkeypatch.setattr(log_bounds, "WHOLE_BYTES", 0)
    assert "cut here: 0 MB" in kept(whole_bounds(), lines)[0]

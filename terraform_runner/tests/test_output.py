from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from terraform_runner.domain import output
from terraform_runner.domain.log_bounds import LAST_LINES
from terraform_runner.domain.output import LINE_CHARACTERS, Output, clean
from terraform_runner.domain.redaction import MASK, Redactor

SECRET = "correct-horse-battery"


def lines_of(*chunks: bytes, secrets: tuple[str, ...] = ()) -> list[str]:
    seen = Output(Redactor(secrets))
    return [line for chunk in chunks for line in seen.feed(chunk)] + seen.end()


@given(st.binary(), st.lists(st.integers(0, 100)))
def test_lines_do_not_depend_on_how_the_bytes_arrive(data, cuts):
    positions = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    chunks = [data[start:end] for start, end in pairwise(positions)]

    assert lines_of(*chunks) == lines_of(data)


@given(st.binary())
def test_nothing_harmful_comes_through(data):
    text = "".join(lines_of(data))

    assert not [character for character in text if ord(character) < 32 and character != "\t"]
    text.encode()  # no lone surrogates, which PostgreSQL refuses


def test_last_line_needs_no_end():
    assert lines_of(b"one\ntw", b"o") == ["one", "two"]


@pytest.mark.parametrize(
    ("raw", "cleaned"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07text", "text"),
        ("\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1bPdevice\x1b\\text", "text"),
        ("\x1b(Btext\x1b7", "text"),
        ("text\x1b", "text"),
        ("a\x00b\r\x08\x7f\x9bc\td", "abc\td"),
        ("user\u202eexe.\u2066", "userexe."),
    ],
)
def test_terminal_sequences_and_control_characters_are_taken_out(raw, cleaned):
    assert clean(raw) == cleaned


def test_invalid_utf8_becomes_a_sign_that_says_so():
    assert lines_of(b"caf\xe9\n") == ["caf\ufffd"]


def test_line_of_ten_megabytes_is_cut_with_a_mark():
    (line,) = lines_of(*[b"x" * 1_000_000] * 10, b"\n")

    assert line.startswith("x" * LINE_CHARACTERS + " …")
    assert "10000000 bytes" in line
    assert len(line) < LINE_CHARACTERS + 100


def test_secret_is_masked_before_it_is_stored():
    assert lines_of(f"the {SECRET[:5]}".encode(), f"{SECRET[5:]} is\n".encode(), secrets=(SECRET,)) == [
        f"the {MASK} is"
    ]


@given(st.integers(LINE_CHARACTERS - 30, LINE_CHARACTERS + output.OVERLAP + 30))
def test_no_part_of_a_secret_stays_where_a_line_is_cut(position):
    raw = b"." * position + SECRET.encode() + b"." * 50_000

    (line,) = lines_of(raw, secrets=(SECRET,))

    kept = line.split(" …")[0]
    assert not set(kept.replace(MASK, "")[:LINE_CHARACTERS]) - set("." + MASK)


def test_line_full_of_secrets_keeps_no_part_of_the_last_one():
    (line,) = lines_of(SECRET.encode() * 2_000, secrets=(SECRET,))

    assert set(line.split(" …")[0]) <= set(MASK)


def test_too_many_lines_are_left_out_but_for_the_last_ones(monkeypatch):
    monkeypatch.setattr(output, "MOST_BYTES", 70)  # ten of these lines, with their ends

    lines = lines_of(b"".join(b"line %d\n" % number for number in range(1_000)))

    assert lines[:10] == [f"line {number}" for number in range(10)]
    assert lines[10] == "… (lines left out)"
    assert lines[11:] == [f"line {number}" for number in range(1_000 - LAST_LINES, 1_000)]


def test_too_many_characters_are_left_out(monkeypatch):
    monkeypatch.setattr(output, "MOST_BYTES", 100)

    lines = lines_of((b"x" * 60 + b"\n") * 3)

    assert lines == ["x" * 60, "x" * 60, "… (lines left out)", "x" * 60]


def test_a_secret_in_the_last_lines_is_masked_too(monkeypatch):
    monkeypatch.setattr(output, "MOST_BYTES", 0)

    assert lines_of(b"the key is " + SECRET.encode() + b"\n", secrets=(SECRET,))[-1] == f"the key is {MASK}"


def test_recent_lines_are_there_for_whoever_looks_for_the_cause():
    seen = Output(Redactor())
    seen.feed(b"one\ntwo\n")

    assert seen.recent == ["one", "two"]

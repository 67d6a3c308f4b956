"""What parts print, on the terminal and in their logs."""

import io
from logging import FileHandler

from infra.local import output
from infra.local.output import LINE_BYTES, follow, part_logger


def followed(content: bytes) -> list[str]:
    lines: list[str] = []
    follow(io.BytesIO(content), lines.append).join()
    return lines


def test_a_line_is_on_the_terminal_with_its_part_and_in_the_log_with_its_time(tmp_path, capsys):
    logger = part_logger("worker", tmp_path)
    logger.info("ready")
    assert capsys.readouterr().out == "worker       | ready\n"
    when, _, said = (tmp_path / "worker.log").read_text().rpartition(" ")
    assert said == "ready\n"
    assert when[:2] == "20"


def test_a_log_is_bounded(monkeypatch, tmp_path):
    monkeypatch.setattr(output, "LOG_BYTES", 1000)
    logger = part_logger("worker", tmp_path)
    for number in range(200):
        logger.info("line %d", number)
    for handler in logger.handlers:
        handler.close()
    logs = sorted(path.name for path in tmp_path.iterdir())
    assert logs == ["worker.log", "worker.log.1", "worker.log.2"]
    assert all(path.stat().st_size <= 1000 for path in tmp_path.iterdir())
    assert "line 199" in (tmp_path / "worker.log").read_text()


def test_a_terminal_that_has_gone_away_does_not_keep_a_line_from_the_log(tmp_path):
    logger = part_logger("worker", tmp_path)
    terminal = next(handler for handler in logger.handlers if not isinstance(handler, FileHandler))
    terminal.stream = io.TextIOWrapper(io.BufferedWriter(Broken()), write_through=True)  # type: ignore[attr-defined]
    logger.info("still here")
    assert "still here" in (tmp_path / "worker.log").read_text()


class Broken(io.RawIOBase):
    """A stream whose reader is gone."""

    def writable(self) -> bool:
        return True

    def write(self, _: object) -> int:
        raise BrokenPipeError


def test_each_line_is_handed_on_without_its_end():
    assert followed(b"one\ntwo\n\nlast without an end") == ["one", "two", "", "last without an end"]


def test_bytes_that_are_no_text_are_shown_as_such():
    assert followed(b"caf\xe9\n") == ["caf\N{REPLACEMENT CHARACTER}"]


def test_a_line_without_end_comes_in_pieces():
    pieces = followed(b"x" * (2 * LINE_BYTES + 1))
    assert [len(piece) for piece in pieces] == [LINE_BYTES, LINE_BYTES, 1]

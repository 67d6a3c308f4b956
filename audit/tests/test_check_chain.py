"""The auditor's script: canonical JSON as another implementation writes it, and an export that was touched."""

import json
from datetime import UTC, datetime

import pytest
import rfc8785
from django.db import transaction
from hypothesis import example, given
from hypothesis import strategies as st

from audit import stored
from audit.check_chain import canonical, main
from audit.events import Actor, record
from audit.signing import InvalidSigningKey, SigningKey, checkpoint_name, make_signing_key
from audit.stored import head

MANAGER = Actor(id="7", name="mona „m“", via="page")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
JSON = st.recursive(
    st.none()
    | st.booleans()
    | TEXT
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(TEXT, JSON, max_size=4))
@example({"x": 2.0**60, "y": 1e21, "z": 1e-7, "a": 5e-324, "b": 123456789012345680000.0})
@example({"\ufb33": 1, "🚀": 2, "a": [{"\ufb33": "\u2028", "🚀": 0.1}]})
def test_canonical_json_is_what_the_standard_says(content):
    filled = {name: value for name, value in content.items() if value not in ("", {})}

    assert canonical(json.dumps(content)) == rfc8785.dumps(filled)
    assert canonical(json.dumps(content, ensure_ascii=False)) == rfc8785.dumps(filled)


@pytest.fixture
def exported(transactional_db, tmp_path):
    """An export of three events, and a checkpoint of the last one."""
    key = SigningKey(make_signing_key())
    for share in (10, 0.5, 1e22):
        with transaction.atomic():
            record(actor=MANAGER, action="release.share-set", after={"share": share, "🚀": "\x7f\n"})
    number, found = head()
    kept = tmp_path / "checkpoints"
    kept.mkdir()
    document = key.checkpoint(number=number, found=found, at=datetime.now(UTC))
    (kept / checkpoint_name(number, found)).write_bytes(document)
    export = tmp_path / "trail.jsonl"
    with stored.whole_chain() as events:
        export.write_text("".join(stored.export_lines(events)))
    return export, kept, key


def test_an_export_is_checked_without_the_application(exported, capsys):
    export, kept, key = exported

    assert main([str(export), str(kept), key.public]) == 0
    assert "Events: 3; checkpoints: 1;" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("mona", "otto", "Event 1 ("),
        ('"number": 2', '"number": 4', "Event 2 is missing"),
        ('"share": 0.5', '"share": 0.6', "Event 2 ("),
    ],
)
def test_an_export_that_was_touched_is_found(exported, capsys, old, new, said):
    export, kept, key = exported
    whole = export.read_text()
    assert old in whole
    export.write_text(whole.replace(old, new, 1))

    assert main([str(export), str(kept), key.public]) == 1
    assert capsys.readouterr().out.startswith(said)


def test_an_export_that_was_cut_off_is_found(exported, capsys):
    export, kept, key = exported
    export.write_text("".join(export.read_text().splitlines(keepends=True)[:2]))

    assert main([str(export), str(kept), key.public]) == 1
    assert "Event 3 is missing" in capsys.readouterr().out


def test_a_checkpoint_of_a_stranger_or_that_cannot_be_read_is_found(exported, capsys):
    export, kept, key = exported
    assert main([str(export), str(kept), SigningKey(make_signing_key()).public]) == 1
    (kept / "000000000000-half.json").write_text('{"number": ')
    assert main([str(export), str(kept), key.public]) == 1

    said = capsys.readouterr().out.splitlines()
    assert "no signature of a known key" in said[0]
    assert "cannot be read" in said[1]


@pytest.mark.parametrize("text", ["", "AAAA", "not base64!", "A" * 43])
def test_what_is_no_signing_key_is_refused(text):
    with pytest.raises(InvalidSigningKey):
        SigningKey(text)

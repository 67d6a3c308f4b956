"""Documents as PDF (PDF/UA-1: with tags for those who have them read), by a template of typst.

What a document says is passed as data and never read as code; the fonts are those that typst itself has.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import typst

from releases.domain.reports.printable import printable

_TEMPLATES = Path(__file__).parent / "typst"


def make_pdf(template: str, document: Mapping[str, Any], *, picture: str = "", made_at: datetime) -> bytes:
    """A PDF by the template of this name, of JSON that it knows the form of, and of a picture as SVG.

    ``made_at`` is the file's own time, so that the same document gives the same bytes.
    """
    return typst.compile(
        _TEMPLATES / f"{template}.typ",
        root=_TEMPLATES,
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"document": json.dumps(printable(dict(document))), "picture": picture},
        pdf_standards="ua-1",
        timestamp=int(made_at.timestamp()),
    )

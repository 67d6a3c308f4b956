"""Where things are on one machine."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def data_dir() -> Path:
    """BLUEGREEN_DATA_DIR, else ``var`` in the checkout: everything that is kept between two starts."""
    return Path(os.environ.get("BLUEGREEN_DATA_DIR") or ROOT / "var").resolve()

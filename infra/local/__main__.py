"""``python -m infra.local``: what ``make run`` runs once everything is set up."""

import sys

from infra.local.run import run

sys.exit(run())

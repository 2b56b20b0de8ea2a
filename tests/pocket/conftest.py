"""The scripts of the pocket model are no package: they find each other by plain name, from their own folder."""

from __future__ import annotations

import sys
from pathlib import Path

POCKET = Path(__file__).parents[2] / "models" / "pocket"
sys.path.insert(0, str(POCKET))

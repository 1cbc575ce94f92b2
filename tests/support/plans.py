"""Changes the plan of a study folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

# libyaml where it is installed: every study of a test is made from a changed plan
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


@contextmanager
def edited_plan(folder: Path) -> Iterator[dict[str, Any]]:
    """Read the plan of a folder, and write it again with what the caller changed."""
    path = folder / "plan.yaml"
    plan = yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    yield plan
    path.write_text(yaml.dump(plan, Dumper=_DUMPER, sort_keys=False), encoding="utf-8")

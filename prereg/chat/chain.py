"""Says which studies belong to one trial: the chat, and the stages that are derived from it."""

from __future__ import annotations

from pathlib import Path

from prereg.derived import COMPARE, JUDGING, chained
from prereg.lock import LOCK_FILE, read_lock


def hashes_of_trial(folder: Path) -> set[str]:
    """Return the plan hashes of a study and of the others of its trial, as far as they are locked.

    They may share a database, so rows under these hashes are no rows of a stranger.

    Parameters
    ----------
    folder : Path
        Of a chat, of a stage that is derived from one, or of any other study.

    Raises
    ------
    RatifyError
        When a lock or the file that chains a stage is damaged.
    """
    root = folder if chained(folder) is None else folder.parent
    places = (root, root / JUDGING, root / COMPARE)
    return {read_lock(one).root_hash for one in places if (one / LOCK_FILE).exists()}

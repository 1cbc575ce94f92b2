"""The names of the offline judges, and what each measures, in the words of reports."""

from __future__ import annotations

BASELINE_MEANING = {
    "length": "a baseline that only measures how long a text is",
    "lexical": "a baseline that only counts certain words",
}

"""Estimates an effect for a study: from its frame, its labels and its plan to results."""

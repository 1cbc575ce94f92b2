"""The gate of a causal estimate: three rooms that say whether the judge's scores may be used."""

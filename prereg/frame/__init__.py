"""The frame of a causal study: all its units, the judge's scores, and the sample for people."""

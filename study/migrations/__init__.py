"""How a store made by an older release becomes one of this release, a step a release.

`study.schema.prepare` runs what is needed when a store is opened; there is no configuration file.
A new step is a new file in `versions/`, with the names of tables and columns written out (never
taken from `study.tables`, which moves on), and a new last entry in `study.schema.REVISIONS`.
"""

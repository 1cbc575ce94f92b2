"""How a store made by an older release becomes one of this release, a step a release.

`study.store.schema.prepare` runs what is needed when a store is opened; there is no configuration
file. A new step is a new file in `versions/`, with the names of tables and columns written out
(never taken from `study.store.tables`, which moves on), and a new last entry in
`study.store.schema.REVISIONS`.
"""

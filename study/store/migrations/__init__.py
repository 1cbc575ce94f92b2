"""Upgrade the store of an older release to this release, one step per release.

`study.store.schema.prepare` runs what is needed when a store is opened; there is no configuration
file. A new step is a new file in `versions/`, with the names of tables and columns written out
(never taken from `study.store.tables`, which will change), and a new last entry in
`study.store.schema.REVISIONS`.
"""

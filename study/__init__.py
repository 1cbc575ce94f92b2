"""The collection of data: the store, the raters' pages, the judges, the bots and the export."""

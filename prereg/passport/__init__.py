"""The passport of a study: in one file, what a reader of a paper needs to trust a judge, or not."""

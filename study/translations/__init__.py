"""The rater's pages in other languages: one catalogue each, made with `update`."""

"""The raters' pages in other languages: one catalogue per language, made with `update`."""

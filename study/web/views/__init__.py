"""The views behind the pages of raters and researchers."""

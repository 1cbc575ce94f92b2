"""Raters and items as facets: how much of a rating is due to each, and what more of them buy."""

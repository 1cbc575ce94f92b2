"""The codebook of the tidy tables, and the small demo data made for this project."""

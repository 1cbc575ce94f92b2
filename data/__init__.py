"""The codebook of every tidy table, and the small demo tables made for this project."""

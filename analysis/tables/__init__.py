"""Reads the tidy tables for analysis, and refuses tables that are not valid."""

"""The results of an analysis: quantities, tables, figure style and files."""

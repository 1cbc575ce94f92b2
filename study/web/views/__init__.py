"""What raters and researchers see: one module for each."""

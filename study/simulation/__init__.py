"""A whole study with simulated raters and judges, through the pages that people would see."""

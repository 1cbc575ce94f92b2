"""Linear and logistic regressions with clustered errors."""

"""Linear and logistic regressions with errors clustered by rater."""

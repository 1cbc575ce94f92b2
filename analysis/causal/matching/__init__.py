"""One-to-one matching of treated to control units on the similarity of their embeddings."""

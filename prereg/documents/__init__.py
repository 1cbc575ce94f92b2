"""Documents made from a plan alone: for a registry, for an ethics board, and to rebuild a study."""

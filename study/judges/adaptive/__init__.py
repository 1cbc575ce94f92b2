"""Choose which pair a judge is asked next, in the light of its earlier replies."""

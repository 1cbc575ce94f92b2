"""What a plan can do, tried on simulated data before anybody answers."""

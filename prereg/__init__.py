"""What is promised before anybody looks: the plan, its lock, and the reading of tables."""

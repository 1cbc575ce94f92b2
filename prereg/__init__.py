"""What a study promises before anybody sees data: the plan, its lock and the tables' contract."""

"""Reading the tidy tables of analysis, and refusing what is not one."""

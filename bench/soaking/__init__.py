"""Mixed traffic, what processes take meanwhile, and whether that stays flat."""

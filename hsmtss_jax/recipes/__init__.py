"""Whole trainings: which stage follows which, how a time budget is shared, who runs them."""

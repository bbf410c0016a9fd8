"""What contacts earned: outcomes, rates, tests, and what representatives bring in."""

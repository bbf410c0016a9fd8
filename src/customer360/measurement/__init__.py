"""What contacts earned: outcomes, rates, tests, paths to orders, and sales representatives."""

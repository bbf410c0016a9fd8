"""What it earned: rates, tests, credit of the channels, and what experiments prove of it."""

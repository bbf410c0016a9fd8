"""customer360: one trustworthy view of each customer, and campaigns that prove what they earn."""

"""What arrived, standardised; what cannot be trusted, set aside with its reason."""

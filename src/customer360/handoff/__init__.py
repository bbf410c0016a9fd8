"""What leaves the house: a campaign's files, their control group, manifest and traps."""

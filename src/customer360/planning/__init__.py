"""Whom to contact, with what, when: one gate for every message, and the plan under limits."""

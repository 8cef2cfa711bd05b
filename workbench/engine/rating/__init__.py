"""Ratings by people: what is shown to whom, what they said, and what follows from it."""

"""Before a training starts: what the data is like, what is chosen from it, and whether it can work here."""

"""Training: a job's examples change a base's weights, in a process of its own that writes what it does."""

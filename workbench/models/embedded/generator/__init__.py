"""Writes the text that the embedded models learn from: stories with numbers, labels, rewriting, talk."""

"""The built-in cleaning steps, one a file."""

"""The commands, one small module a group. Each has `register(app)`; work is imported when it is done.

A command parses, calls one or two functions of the engine, and prints: results on stdout, everything
else on stderr; with --json exactly one JSON document on stdout.
"""

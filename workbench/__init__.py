"""A workbench for people who improve what language models answer: author, run, compare, export, tune."""

__version__ = "0.1.0"

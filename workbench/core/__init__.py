"""The nouns of the workbench (DESIGN section 2) as records. Pure: no network, database, torch or app."""

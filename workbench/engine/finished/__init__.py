"""Outputs that were made elsewhere: files of other tools become runs, to be compared, scored and rated."""

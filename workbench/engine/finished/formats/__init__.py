"""The formats of finished outputs: one small file each, found by what stands in a file."""

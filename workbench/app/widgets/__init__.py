"""What pages are made of: charts, tables, forms and panels."""

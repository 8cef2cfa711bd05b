"""One script a page; `main.py` lists them in the order of the menu."""

"""Model cards of tuned models: composed once as blocks, written as Markdown or as one HTML file."""

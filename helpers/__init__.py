"""Shared code of the notebooks: what every notebook would otherwise repeat."""

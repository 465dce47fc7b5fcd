"""paperledger: researchers' profile pages in, a checked dataset out, and the pages back again."""

__version__ = "0.2.0"

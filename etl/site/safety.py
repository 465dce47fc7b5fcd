"""What keeps a public site up: a Content-Security-Policy, limits on every connection."""

"""The version of paperledger, in the one place from which the package, manifests and reports take it."""

__version__ = "0.2.0"

"""Engines run a step over batches; there is one, of processes on this machine."""

"""Who runs a step over batches: processes of this machine."""

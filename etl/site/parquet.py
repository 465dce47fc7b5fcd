"""Parquet of any table, view or query: the whole result, beside .csv and .json."""

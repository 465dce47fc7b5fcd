"""The release's own files over HTTP: Parquet with ranges, the quality report, and a page of downloads."""

"""How Datasette is set for a site that anybody may ask anything."""

SETTINGS: dict[str, int | bool] = {
    "suggest_facets": False,  # looking for facets takes a million-row page from 0.2 to 1.3 s
}
"""Datasette's settings by name, as `--setting NAME VALUE` takes them."""

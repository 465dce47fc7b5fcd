"""Datasette plugins: what makes the site of a release more than a table browser.

In: a release that Datasette serves. Out: pages, pictures and files. Each module is one plugin, named in pyproject.toml;
they read releases and import nothing of the stages that make them. In a Datasette without a release they do nothing.
"""

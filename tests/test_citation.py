"""CITATION.cff says what the package says of itself."""

import tomllib

import regenerate
import yaml

from etl import __version__


def test_the_citation_of_the_software_is_current() -> None:
    cited = yaml.safe_load((regenerate.ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((regenerate.ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert (cited["cff-version"], cited["type"], cited["title"].partition(":")[0]) == (
        "1.2.0",
        "software",
        "paperledger",
    )
    assert (str(cited["version"]), cited["license"]) == (__version__, project["license"])
    assert cited["authors"]
    assert cited["message"]

"""Descriptors as linked data: `croissant.json` of a release, and the JSON-LD of the site's home page.

In: what a release is, and sizes and hashes of its files. Out: Croissant 1.1 (https://docs.mlcommons.org/croissant/), from
which programs load each table, and a schema.org Dataset for search engines. They contain no clock time: the date of
publication is the day of the newest page.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from etl.load.dataset_facts import TITLE, DatasetFacts, sources
from etl.load.descriptors import FileFacts, described, tables_of
from etl.load.layout import DATABASE_FILE
from schemas import Column, Definition
from schemas.table import COLUMN_TYPES, PAGES

CROISSANT_VERSION = "http://mlcommons.org/croissant/1.1"
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The complete context, which the standard requires."""
PARQUET = "application/x-parquet"
SQLITE = "application/vnd.sqlite3"


def render_croissant(files: Mapping[str, FileFacts], facts: DatasetFacts) -> str:
    """The text of `croissant.json`.

    >>> files = {"paperledger.db": {"sha256": "0a" * 32, "bytes": 9}}
    >>> facts = DatasetFacts("0a1b" * 16, 50, 1, None, {})
    >>> json.loads(render_croissant(files, facts)) == _croissant(files, facts)
    True
    """
    return json.dumps(_croissant(files, facts), indent=2, ensure_ascii=False) + "\n"


def _croissant(files: Mapping[str, FileFacts], facts: DatasetFacts) -> dict[str, Any]:
    """The descriptor of data files, given with their facts by name: each table is a set of records.

    >>> facts = DatasetFacts("0a1b" * 16, 50, 1, None, {})
    >>> _croissant({"paperledger.db": {"sha256": "0a" * 32, "bytes": 9}}, facts)["distribution"][0]["contentSize"]
    '9 B'
    """
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CROISSANT_VERSION,
        **_dataset(facts),
        "citeAs": facts.citation,
        "distribution": [_file_object(name, facts) for name, facts in _data_files(files)],
        "recordSet": [_record_set(name, definition) for name, definition in tables_of(files).items()],
    }


def schema_org_dataset(
    files: Mapping[str, FileFacts], facts: DatasetFacts, address: str, downloads: str
) -> dict[str, Any]:
    """A release as a Dataset of schema.org, for the page at `address`; `downloads` is the address of its files.

    >>> facts = DatasetFacts("0a1b" * 16, 50, 1, None, {})
    >>> files = {"paperledger.db": {"sha256": "0a" * 32, "bytes": 9}}
    >>> schema_org_dataset(files, facts, "https://example.org/", "https://example.org/-/downloads")["distribution"][0]
    ... # doctest: +NORMALIZE_WHITESPACE
    {'@type': 'DataDownload', 'name': 'paperledger.db', 'contentUrl': 'https://example.org/-/downloads/paperledger.db',
     'encodingFormat': 'application/vnd.sqlite3', 'contentSize': '9 B', 'sha256': '0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a'}
    """
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "url": address,
        **_dataset(facts),
        "creditText": facts.citation,
        "distribution": [
            {
                "@type": "DataDownload",
                "name": name,
                "contentUrl": f"{downloads}/{name}",
                **_contents(name, file),
            }
            for name, file in _data_files(files)
        ],
    }


def _dataset(facts: DatasetFacts) -> dict[str, Any]:
    """The properties that both descriptors have."""
    published = {"datePublished": facts.saved.isoformat()} if facts.saved else {}
    return {
        "name": TITLE,
        "description": facts.description,
        "version": facts.version,
        "identifier": facts.identifier,
        **published,
        "license": PAGES.licence_url,
        "keywords": facts.keywords,
        "creator": {"@type": "Organization", "name": f"{TITLE} {facts.tool}, the program that made it"},
        "isBasedOn": [
            {"@type": "CreativeWork", "name": one.title, **({"version": one.version} if one.version else {})}
            for one in sources(facts)
        ],
    }


def _data_files(files: Mapping[str, FileFacts]) -> Iterator[tuple[str, FileFacts]]:
    yield from ((name, files[name]) for name in (DATABASE_FILE, *tables_of(files)))


def _file_object(name: str, file: FileFacts) -> dict[str, Any]:
    return {"@type": "cr:FileObject", "@id": name, "name": name, "contentUrl": name, **_contents(name, file)}


def _contents(name: str, file: FileFacts) -> dict[str, Any]:
    encoding = SQLITE if name == DATABASE_FILE else PARQUET
    return {"encodingFormat": encoding, "contentSize": f"{file['bytes']} B", "sha256": file["sha256"]}


def _record_set(path: str, definition: Definition) -> dict[str, Any]:
    keys = [{"@id": f"{definition.name}/{column}"} for column in definition.primary_key]
    return {
        "@type": "cr:RecordSet",
        "@id": definition.name,
        "name": definition.name,
        "description": definition.description,
        "key": keys[0] if len(keys) == 1 else keys,
        "field": [_field(path, definition, column) for column in definition.columns],
    }


def _field(path: str, definition: Definition, column: Column) -> dict[str, Any]:
    kind = COLUMN_TYPES[column.dtype]
    return {
        "@type": "cr:Field",
        "@id": f"{definition.name}/{column.name}",
        "name": column.name,
        "description": described(column),
        "dataType": kind.croissant,
        **({"isArray": True, "arrayShape": "-1"} if kind.package == "array" else {}),
        "source": {"fileObject": {"@id": path}, "extract": {"column": column.name}},
        **_references(definition, column),
    }


def _references(definition: Definition, column: Column) -> dict[str, Any]:
    """The column that a foreign key of this column alone refers to; Croissant has none of several columns."""
    for key in definition.references:
        if key.columns == (column.name,):
            return {
                "references": {"fileObject": {"@id": f"{key.table}.parquet"}, "extract": {"column": key.targets[0]}}
            }
    return {}

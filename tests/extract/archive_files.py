"""Archives and shards of pages: tars with members of any kind, JSON Lines and Parquet, compressed or not."""

import gzip
import io
import json
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from page_files import write, zst

from etl.errors import PageError
from etl.extract.archives import Page, batches, read_parts
from etl.extract.reading import PageFile
from etl.extract.sources import find_pages

Rows = Iterable[Mapping[str, Any]]
END = bytes(2 * tarfile.BLOCKSIZE)


def member(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, **fields: Any) -> bytes:
    """A member of a tar: its header, and its data."""
    info = tarfile.TarInfo(name)
    info.size, info.type = len(data), kind
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.PAX_FORMAT) + data + bytes(-len(data) % tarfile.BLOCKSIZE)


def tar(files: Mapping[str, bytes]) -> bytes:
    """A tar with these files."""
    return b"".join(member(name, data) for name, data in files.items()) + END


def jsonl(rows: Rows) -> bytes:
    """JSON Lines with these rows."""
    return "".join(f"{json.dumps(row)}\n" for row in rows).encode()


def parquet(rows: Rows, **options: Any) -> bytes:
    """Parquet with these rows."""
    stream = io.BytesIO()  # a page of the format has four rows
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows]), stream, write_batch_size=4, **options)
    return stream.getvalue()


def packed(name: str, files: Mapping[str, bytes]) -> bytes:
    """An archive or a shard of these files, as its name tells."""
    rows = [{"source": source, "text": data.decode()} for source, data in files.items()]
    kind = name.split(".")[1]
    made = (
        {"tar": tar, "tgz": tar}[kind](files)
        if kind in {"tar", "tgz"}
        else {"jsonl": jsonl, "parquet": parquet}[kind](rows)
    )
    return {"gz": gzip.compress, "tgz": gzip.compress, "zst": zst}.get(name.rpartition(".")[2], bytes)(made)


def found(*paths: Path | str) -> list[Page]:
    """What the paths lead to, in turn: pages and errors."""
    return [one for batch in batches(find_pages([str(path) for path in paths])) for one in read_parts(batch)]


def pages_in(path: Path, data: bytes) -> list[PageFile]:
    """The pages in an archive or a shard of this data, which has no error."""
    files = found(write(path, data))
    assert [str(one) for one in files if isinstance(one, PageError)] == []
    return [one for one in files if isinstance(one, PageFile)]


def problems(path: Path, data: bytes) -> list[str]:
    """The errors of an archive or a shard of this data."""
    return [str(one) for one in found(write(path, data)) if isinstance(one, PageError)]

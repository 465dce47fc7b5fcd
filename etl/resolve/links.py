r"""Links: the web addresses in an abstract, without the sentence's punctuation and TeX's escapes."""

import re
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2,20}://[^\s<>\"{}|^`“”‘’«»—…。，；：、（）【】《》]+")
_TEX_ESCAPE = re.compile(r"\\([_%&#~$])")
_BEHIND = ".,;:!?'*\\"
_PAIRS = {")": "(", "]": "["}
_HOSTS = {
    "code": ("github.com", "gitlab.com", "bitbucket.org", "codeberg.org", "sourceforge.net", "gitee.com"),
    "data": (
        "zenodo.org",
        "figshare.com",
        "kaggle.com",
        "dataverse.org",
        "datadryad.org",
        "osf.io",
        "dataverse.harvard.edu",
    ),
}
_DATA_PATHS = {"huggingface.co": "/datasets/"}


def find_links(abstract: str) -> list[tuple[str, str, str]]:
    r"""Every address in a text, once and in order: address, host, and kind (code, data or site).

    >>> find_links(r"See https://github.com/a/b\_c. Live at (http://miracl.ai/).")
    [('https://github.com/a/b_c', 'github.com', 'code'), ('http://miracl.ai/', 'miracl.ai', 'site')]
    """
    if "://" not in abstract:
        return []
    addresses = dict.fromkeys(_trim(match.group()) for match in _ADDRESS.finditer(abstract))
    links = [(address, _host(address)) for address in addresses]
    return [(address, host, _kind(host, address)) for address, host in links if host]


def _trim(address: str) -> str:
    """Cut off what belongs to the sentence: punctuation, and a bracket that was opened before the address."""
    address = _TEX_ESCAPE.sub(r"\1", address)
    unopened = {close: address.count(close) - address.count(opener) for close, opener in _PAIRS.items()}
    end = len(address)
    while address[end - 1] in _BEHIND or unopened.get(address[end - 1], 0) > 0:
        end -= 1
        if address[end] in unopened:
            unopened[address[end]] -= 1
    return address[:end]


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


def _kind(host: str, address: str) -> str:
    for kind, hosts in _HOSTS.items():
        if any(host == known or host.endswith("." + known) for known in hosts):
            return kind
    return "data" if host in _DATA_PATHS and _DATA_PATHS[host] in address else "site"

"""What a browser may do with an answer, and where the site lies.

In: Datasette's templates, and every answer. Out: headers on each. No script runs but the files of this site and the inline
scripts that stand in templates. A script's hash is taken from its template and never from an answer: what a page's text
could smuggle into an answer has no hash.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256

from jinja2 import Environment
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FIXED = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
}
DIRECTIVES = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data:",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "object-src": "'none'",
}
INLINE_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
VARIABLES = {"{{ datasette_allow_facet }}": ("true", "false")}
"""What Datasette's templates put into inline scripts, with all that it can be."""


class SafeHeaders:
    """Adds the headers to every answer of an application; one that names a header itself keeps it."""

    def __init__(self, app: ASGIApp, content_policy: str) -> None:
        self._app = app
        self._headers = FIXED | {"content-security-policy": content_policy}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""

        async def send_safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                named = [(name.lower(), value) for name, value in message.get("headers", [])]
                message = {**message, "headers": named}
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_safely)


def policy(templates: Environment) -> str:
    """The Content-Security-Policy of a site with these templates."""
    hashes = sorted(map(hash_source, inline_scripts(sources(templates))))
    directives = DIRECTIVES | {"script-src": " ".join([DIRECTIVES["script-src"], *hashes])}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def sources(templates: Environment) -> Iterator[str]:
    """The text of every template."""
    assert templates.loader is not None  # noqa: S101  Datasette's environment has one
    for name in templates.list_templates(extensions=["html"]):
        yield templates.loader.get_source(templates, name)[0]


def inline_scripts(texts: Iterable[str]) -> set[str]:
    """The inline scripts in templates, as they read once rendered; one that holds another variable has no such form.

    >>> sorted(inline_scripts(["<script>A = {{ datasette_allow_facet }};</script>", "<script>{{ x }}</script>"]))
    ['A = false;', 'A = true;']
    """
    scripts = {script for text in texts for script in INLINE_SCRIPT.findall(text)}
    for variable, values in VARIABLES.items():
        scripts = {script.replace(variable, value) for script in scripts for value in values}
    return {script for script in scripts if "{{" not in script and "{%" not in script}


def hash_source(script: str) -> str:
    """How a policy names an inline script.

    >>> hash_source("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


class WithoutPrefix:
    """Takes the prefix off the address before an application sees it."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self._app = app
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http":
            scope = {**scope, "path": inside(scope["path"], self._base_url)}
            if scope.get("raw_path"):
                raw_path = inside(scope["raw_path"].decode("latin-1"), self._base_url)
                scope["raw_path"] = routed(raw_path, self._base_url).encode("latin-1")

        async def send_with_prefix(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=[(name.lower(), value) for name, value in message.get("headers", [])])
                if "location" in headers:
                    headers["location"] = outside(headers["location"], self._base_url)
                message = {**message, "headers": headers.raw}
            await send(message)

        await self._app(scope, receive, send if self._base_url == "/" else send_with_prefix)


def outside(location: str, base_url: str) -> str:
    """Where a redirect leads, with the prefix: Datasette leaves it out where it takes a slash off the address it was given.

    >>> outside("/-/charts", "/data/"), outside("/data/-/charts", "/data/"), outside("https://example.org/", "/data/")
    ('/data/-/charts', '/data/-/charts', 'https://example.org/')
    """
    return base_url + location[1:] if location.startswith("/") and not location.startswith(base_url) else location


def inside(path: str, base_url: str) -> str:
    """A path without the prefix under which the site lies.

    >>> inside("/data/-/charts", "/data/"), inside("/-/charts", "/data/"), inside("/-/charts", "/")
    ('/-/charts', '/-/charts', '/-/charts')
    """
    path = "/" + path.removeprefix(base_url).removeprefix("/")
    # The links that Datasette writes from a path that `routed` gave the prefix again.
    return path.removeprefix(base_url[:-1]) if path.startswith(base_url + base_url[1:]) else path


def routed(path: str, base_url: str) -> str:
    """The path for Datasette, which takes a prefix off that it finds: one that begins like it gets it again.

    >>> routed("/data/-/threads", "/data/"), routed("/-/charts", "/data/"), routed("/-/charts", "/")
    ('/data/data/-/threads', '/-/charts', '/-/charts')
    """
    return base_url + path[1:] if base_url != "/" and path.startswith(base_url) else path

"""Headers of every answer: the browser's security policy, and redirects under the site's base URL.

In: Datasette's templates, and every answer. Out: headers on each. Browsers run only the site's script files and the inline
scripts of templates. Hashes of scripts are computed from templates, never from answers: a script that a page's text injects
into an answer has no hash.
"""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from hashlib import sha256

from jinja2 import Environment
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FIXED_HEADERS = {
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
"""The variables in inline scripts of Datasette's templates, with all their values."""


class SafeHeaders:
    """ASGI middleware that adds the headers to every answer that does not have them."""

    def __init__(self, app: ASGIApp, content_policy: str) -> None:
        self._app = app
        self._headers = FIXED_HEADERS | {"content-security-policy": content_policy}

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


def content_security_policy(templates: Environment) -> str:
    """The Content-Security-Policy of a site with these templates."""
    hashes = sorted(map(script_hash, _inline_scripts(template_sources(templates))))
    directives = DIRECTIVES | {"script-src": " ".join([DIRECTIVES["script-src"], *hashes])}
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def template_sources(templates: Environment) -> Iterator[str]:
    """The text of every template."""
    assert templates.loader is not None  # noqa: S101  Datasette's environment has one
    for name in templates.list_templates(extensions=["html"]):
        yield templates.loader.get_source(templates, name)[0]


def _inline_scripts(texts: Iterable[str]) -> set[str]:
    """The inline scripts of templates as rendered; scripts with other variables are left out.

    >>> sorted(_inline_scripts(["<script>A = {{ datasette_allow_facet }};</script>", "<script>{{ x }}</script>"]))
    ['A = false;', 'A = true;']
    """
    scripts = {script for text in texts for script in INLINE_SCRIPT.findall(text)}
    for variable, values in VARIABLES.items():
        scripts = {script.replace(variable, value) for script in scripts for value in values}
    return {script for script in scripts if "{{" not in script and "{%" not in script}


def script_hash(script: str) -> str:
    """The name of an inline script in a content security policy.

    >>> script_hash("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{b64encode(sha256(script.encode()).digest()).decode()}'"


class WithoutPrefix:
    """ASGI middleware that removes the site's prefix from addresses, and adds it to redirects."""

    def __init__(self, app: ASGIApp, base_url: str) -> None:
        self._app = app
        self._base_url = base_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] == "http":
            scope = {**scope, "path": _without_prefix(scope["path"], self._base_url)}
            if scope.get("raw_path"):
                raw_path = _without_prefix(scope["raw_path"].decode("latin-1"), self._base_url)
                scope["raw_path"] = _protected_path(raw_path, self._base_url).encode("latin-1")

        async def send_with_prefix(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=[(name.lower(), value) for name, value in message.get("headers", [])])
                if "location" in headers:
                    headers["location"] = _with_prefix(headers["location"], self._base_url)
                message = {**message, "headers": headers.raw}
            await send(message)

        await self._app(scope, receive, send if self._base_url == "/" else send_with_prefix)


def _with_prefix(location: str, base_url: str) -> str:
    """The target of a redirect with the prefix, which Datasette leaves out where it removes a slash from an address.

    >>> _with_prefix("/-/charts", "/data/"), _with_prefix("/data/-/charts", "/data/"), _with_prefix("https://example.org/", "/data/")
    ('/data/-/charts', '/data/-/charts', 'https://example.org/')
    """
    return base_url + location[1:] if location.startswith("/") and not location.startswith(base_url) else location


def _without_prefix(path: str, base_url: str) -> str:
    """A path without the site's prefix.

    >>> _without_prefix("/data/-/charts", "/data/"), _without_prefix("/-/charts", "/data/"), _without_prefix("/-/charts", "/")
    ('/-/charts', '/-/charts', '/-/charts')
    """
    path = "/" + path.removeprefix(base_url).removeprefix("/")
    # Links that Datasette makes from a `protected_path` have the prefix twice.
    return path.removeprefix(base_url[:-1]) if path.startswith(base_url + base_url[1:]) else path


def _protected_path(path: str, base_url: str) -> str:
    """The path for Datasette, which removes the prefix once more: a path that begins like the prefix gets it twice.

    >>> _protected_path("/data/-/threads", "/data/"), _protected_path("/-/charts", "/data/"), _protected_path("/-/charts", "/")
    ('/data/data/-/threads', '/-/charts', '/-/charts')
    """
    return base_url + path[1:] if base_url != "/" and path.startswith(base_url) else path

"""What a browser may do with an answer. In: Datasette's templates, and every answer. Out: headers on each.

No script runs but the files of this site and the inline scripts that stand in templates. A script's hash is taken from its
template and never from an answer: what a page's text could smuggle into an answer has no hash.
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

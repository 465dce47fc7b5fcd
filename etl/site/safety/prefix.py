"""A site under a path. In: requests with the path that the proxy kept. Out: requests as if the site lay at the top.

Datasette 0.65 takes the prefix off where it looks for a page, but not where it writes links to a page's other formats, which
then have it twice.
"""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


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

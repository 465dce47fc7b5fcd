"""A site under a path. In: requests with the path that the proxy kept. Out: requests as if the site lay at the top.

Datasette 0.65 takes the prefix off where it looks for a page, but not where it writes links to a page's other formats, which
then have it twice.
"""

from starlette.types import ASGIApp, Receive, Scope, Send


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
                scope["raw_path"] = inside(scope["raw_path"].decode("latin-1"), self._base_url).encode("latin-1")
        await self._app(scope, receive, send)


def inside(path: str, base_url: str) -> str:
    """A path without the prefix under which the site lies.

    >>> inside("/data/-/charts", "/data/"), inside("/-/charts", "/data/"), inside("/-/charts", "/")
    ('/-/charts', '/-/charts', '/-/charts')
    """
    return "/" + path.removeprefix(base_url).removeprefix("/")

"""tests/gateway: nginx before the gateway, by those of its habits that matter: what it changes unasked."""

from collections.abc import Callable
from typing import Any, Literal
from urllib.parse import quote

UPSTREAM = b"http://127.0.0.1:8080"


class NginxLike:
    """Passes one path of a host on, by HTTP/1.0 and under the upstream's name, as nginx does by default.

    With ``proxy_pass http://127.0.0.1:8080/`` (`strip`) the path is removed, and the rest decoded and encoded
    anew; with ``proxy_pass http://127.0.0.1:8080`` (`keep`) the path stays as it was sent.
    """

    def __init__(self, app: Callable[[], Any], path: str, way: Literal["strip", "keep"]) -> None:
        self._app = app
        self._path = path
        self._way = way

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path: str = scope["path"]
        described = path.startswith("/.well-known/") and path.endswith(self._path)
        if not described and not path.startswith(self._path + "/"):
            await send({"type": "http.response.start", "status": 404, "headers": [(b"server", b"nginx")]})
            await send({"type": "http.response.body", "body": b"<h1>404 Not Found</h1>"})
            return
        if self._way == "strip" and not described:
            path = path[len(self._path) :]
            scope = {**scope, "path": path, "raw_path": quote(path, safe="/:@!$&'()*+,;=~").encode()}
        headers = [item for item in scope["headers"] if item[0] not in (b"host", b"connection")]
        headers += [(b"host", b"127.0.0.1:8080"), (b"connection", b"close")]
        await self._app()({**scope, "http_version": "1", "headers": headers}, receive, self._returning(send))

    def _returning(self, send: Any) -> Any:
        """`send` with ``proxy_redirect default``: an address of the upstream becomes one of the location."""

        async def returned(message: dict[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [self._header(*item) for item in message["headers"]]}
            await send(message)

        return returned

    def _header(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        if name == b"location" and value.startswith(UPSTREAM):
            value = self._path.encode() + value[len(UPSTREAM) :]
        return name, value

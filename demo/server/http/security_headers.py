"""ASGI middleware: Content-Security-Policy and other headers, which let the page reach no host but its own."""

from collections.abc import Sequence

from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio runs the scripts of gr.HTML with `new Function`, and writes scripts and styles into the page itself.
_POLICY = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval'",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
}
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: browsers would then send no origin with the page's own calls, and the gate couldn't recognise
    # them.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(), geolocation=(), display-capture=()",
    # These isolate the page from other sites' pages; only then may the network use several threads in the visitor's
    # browser. The page loads nothing but its own files.
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}


class SecurityHeaders:
    """Adds the headers to every answer.

    Args:
        app: the ASGI app whose answers get the headers.
        ancestors: origins, besides the page's own, whose pages may show it in a frame.
    """

    def __init__(self, app: ASGIApp, ancestors: Sequence[str] = ()) -> None:
        self._app = app
        policy = _POLICY | {"frame-ancestors": " ".join(("'self'", *ancestors))}
        texts = _HEADERS | {"Content-Security-Policy": "; ".join(f"{name} {rule}" for name, rule in policy.items())}
        self._headers = [(name.lower().encode(), text.encode()) for name, text in texts.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and add the headers to its answer.

        Args:
            scope: the connection's ASGI scope.
            receive: gets the next message from the client.
            send: sends a message to the client.
        """
        if scope["type"] != "http":
            return await self._app(scope, receive, send)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *self._headers]
            await send(message)

        return await self._app(scope, receive, send_with_headers)

import asyncio
from typing import Any

from demo.server.http.security_headers import SecurityHeaders


def headers_of(status: int, *ancestors: str) -> dict[str, str]:
    """The headers of an answer, by name."""
    sent: list[dict[str, Any]] = []

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"a", b"b")]})
        await send({"type": "http.response.body", "body": b""})

    async def nothing_more() -> Any:
        return None

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(SecurityHeaders(app, ancestors)({"type": "http"}, nothing_more, send))
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def policy_of(headers: dict[str, str]) -> dict[str, list[str]]:
    rules = [rule.split() for rule in headers["content-security-policy"].split(";")]
    return {name: sources for name, *sources in rules}


def test_every_answer_carries_them_beside_its_own() -> None:
    for status in (200, 404, 500):
        headers = headers_of(status)
        assert headers["a"] == "b"
        assert headers["x-content-type-options"] == "nosniff"
        # Not no-referrer: browsers would then leave the origin out of the page's own calls.
        assert headers["referrer-policy"] == "same-origin"
        assert "camera=(self)" in headers["permissions-policy"]
        # Together they isolate the page, which threads in the browser need.
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-embedder-policy"] == "require-corp"


def test_no_other_host_is_allowed() -> None:
    sources = {source for sources in policy_of(headers_of(200)).values() for source in sources}
    assert sources == {"'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:"}
    assert policy_of(headers_of(200))["default-src"] == ["'self'"]


def test_only_named_sites_may_show_the_page_in_a_frame() -> None:
    assert policy_of(headers_of(200))["frame-ancestors"] == ["'self'"]
    named = headers_of(200, "https://a.example", "https://b.example")
    assert policy_of(named)["frame-ancestors"] == ["'self'", "https://a.example", "https://b.example"]

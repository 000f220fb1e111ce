"""Gives every refused call a sentence and a fitting status, and reveals nothing about this machine."""

import errno
import json
import logging
import re
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from httpx import InvalidURL
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from demo.limits import FULL_QUEUE_SECONDS
from demo.server.gradio_internals import FAILED, FAILURE, FnIndexInferError

BUSY = "Busy"  # title of a gr.Error; the call may be tried again after the error's duration, in seconds
_UNKNOWN = "There is no such function here, or the call does not name one. GET /gradio_api/info lists them."
_OTHER_VALUES = "These are not the values that the function takes. GET /gradio_api/info lists them."
_SENTENCES = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address takes another method: POST instead of GET, or GET instead of POST.",
    HTTPStatus.FORBIDDEN: "This address is closed.",
}
_STATUSES = {BUSY: HTTPStatus.SERVICE_UNAVAILABLE, FAILED: HTTPStatus.INTERNAL_SERVER_ERROR}
_LOG = logging.getLogger(__name__)


class CallStatuses:
    """ASGI middleware: a call that failed because of its own picture or values gets status 400, not Gradio's 500.

    A stream that ends with an error, such as one for an unknown event, is closed properly.

    Args:
        app: Gradio's ASGI app.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and correct the status of its answer.

        Args:
            scope: the connection's ASGI scope.
            receive: gets the next message from the client.
            send: sends a message to the client.
        """
        if scope["type"] != "http" or not re.search(r"/gradio_api/(run|api|call|queue)/", scope["path"]):
            return await self._app(scope, receive, send)
        start: Message = {}

        async def send_with_status(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] == HTTPStatus.INTERNAL_SERVER_ERROR:
                start = message  # held back until its body arrives, which says why
                return
            if start:
                await send(_corrected(start, message.get("body", b"")))
                start = {}
            await send(message)

        try:
            await self._app(scope, receive, send_with_status)
        except RuntimeError as error:
            if not isinstance(error.__cause__, HTTPException):
                raise
            await send({"type": "http.response.body", "body": b""})  # the stream has already said what was wrong


def _corrected(start: Message, body: bytes) -> Message:
    """Correct the start of an error's answer by its body, which for a gr.Error is {"error": a sentence, "title": …}."""
    try:
        error = json.loads(body)
        title, seconds = error.get("title", FAILED), error.get("duration")
    except (ValueError, AttributeError):
        title, seconds = FAILED, None
    headers = [(b"retry-after", str(seconds).encode())] if title == BUSY else []
    status = _STATUSES.get(title, HTTPStatus.BAD_REQUEST)
    return {**start, "status": status, "headers": [*start.get("headers", ()), *headers]}


def _answer(status: int, sentence: str) -> Response:
    return JSONResponse({"detail": sentence}, status_code=status)


def _http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    bare = error.detail in (HTTPStatus(error.status_code).phrase, "")
    sentence = _SENTENCES.get(HTTPStatus(error.status_code), error.detail) if bare else error.detail
    # With this status, Gradio's own queue is full.
    busy = {"Retry-After": str(FULL_QUEUE_SECONDS)} if error.status_code == HTTPStatus.SERVICE_UNAVAILABLE else {}
    return JSONResponse({"detail": sentence}, error.status_code, {**busy, **(error.headers or {})})


def _malformed(_: Request, error: Exception) -> Response:
    """Say what is wrong and where. FastAPI itself would send the call back, picture included."""
    assert isinstance(error, RequestValidationError)
    wrong = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
    return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, "The call is not as it should be. " + "; ".join(wrong) + ".")


def _unknown(_: Request, error: Exception) -> Response:
    if not isinstance(error, FnIndexInferError):
        _LOG.debug("a call that names nothing known", exc_info=error)
    return _answer(HTTPStatus.NOT_FOUND, _UNKNOWN)


def _other_values(_: Request, error: Exception) -> Response:
    _LOG.debug("a call with other values", exc_info=error)
    return _answer(HTTPStatus.UNPROCESSABLE_ENTITY, _OTHER_VALUES)


def _host(_: Request, __: Exception) -> Response:
    return _answer(HTTPStatus.BAD_REQUEST, "The call names a host, in Host or X-Forwarded-Host, that is no address.")


def _file(_: Request, error: Exception) -> Response:
    """Answer 404 if an address is too long to be looked up as a file's name; leave other errors to the middleware."""
    if not isinstance(error, OSError) or error.errno != errno.ENAMETOOLONG:
        raise error
    return _answer(HTTPStatus.NOT_FOUND, _SENTENCES[HTTPStatus.NOT_FOUND])


def _failed(_: Request, __: Exception) -> Response:
    return _answer(HTTPStatus.INTERNAL_SERVER_ERROR, FAILURE)


# Exception -> its answer, for those that Gradio leaves to FastAPI, such as when a call names no function.
HANDLERS = {
    HTTPException: _http,
    RequestValidationError: _malformed,
    FnIndexInferError: _unknown,
    KeyError: _unknown,
    TypeError: _other_values,
    InvalidURL: _host,
    OSError: _file,
    Exception: _failed,
}

"""Every place where this page relies on Gradio's internals, which a new release may change without notice.

Each says why Gradio's public interface won't do; test_gradio_internals.py fails if a release has changed one. Of the
rest of the project, this module knows only what counts as one address.
"""

import asyncio
import contextvars
import inspect
import io
import logging
import re
import threading
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, redirect_stderr
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.context import LocalContext
from gradio.route_utils import FnIndexInferError, get_root_url
from gradio.routes import BUILD_PATH_LIB
from gradio.state_holder import SessionState, StateHolder
from gradio.tunneling import CURRENT_TUNNELS
from gradio.utils import get_function_with_locals
from gradio_client.utils import is_http_url_like
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Scope

from demo.server.network import network_of

__all__ = ["FnIndexInferError", "is_http_url_like"]  # the first is raised for a call that names no function

FAILED = "Failed"  # title of the gr.Error of a call whose failure is not the caller's fault
FAILURE = "The server failed at this call. Its log says why."
_NO_UPLOAD = (
    'This is no upload. Send the file to /gradio_api/upload, then give {"path": what that answered, '
    '"meta": {"_type": "gradio.FileData"}}.'
)
_LOG = logging.getLogger(__name__)
_FIND_SESSION = StateHolder.__getitem__


def refuse_by_sentences(page: gr.Blocks) -> None:
    """Turn every error of a call into a gr.Error with a sentence for the caller.

    Gradio's own errors reveal folders of this machine and addresses of objects. It has hooks for errors in an event's
    function, but none for errors in its values, or for those that Gradio itself raises.

    Args:
        page: the page, whose methods are replaced.
    """
    preprocess, process = page.preprocess_data, page.process_api

    async def preprocess_data(block_fn: Any, inputs: list[Any], *rest: Any, **named: Any) -> Any:
        if len(inputs) != len(block_fn.inputs):
            message = f"The function takes another number of values: {len(block_fn.inputs)}, not {len(inputs)}."
            raise gr.Error(message, print_exception=False)
        try:
            return await preprocess(block_fn, inputs, *rest, **named)
        except gr.Error:  # which is a ValueError, too
            raise
        except (AttributeError, ValueError, TypeError, OSError) as error:  # the first if "meta" isn't an object
            raise gr.Error(_NO_UPLOAD, print_exception=False) from error

    async def process_api(*arguments: Any, **named: Any) -> Any:
        try:
            return await process(*arguments, **named)
        except gr.Error:
            raise
        except Exception as error:
            _LOG.exception("a call failed")
            raise gr.Error(FAILURE, title=FAILED, print_exception=False) from error

    page.preprocess_data, page.process_api = preprocess_data, process_api


def refuse_web_addresses(page: gr.Blocks) -> None:
    """Refuse a file that is given to a function by its web address.

    Gradio would fetch it, however large, before calling the function, and no setting stops that.

    Args:
        page: the page, with all its functions.
    """
    for function in page.fns.values():
        for component in function.inputs:
            _refuse_web_addresses(component)


def _refuse_web_addresses(component: Any) -> None:
    store = component.async_move_resource_to_block_cache

    async def store_upload(path: str | Path | None) -> str | None:
        if is_http_url_like(path):
            raise gr.Error("Web addresses are not fetched. Send the picture file itself.", print_exception=False)
        stored: str | None = await store(path)
        component.temp_files.discard(stored)  # or it would stay there for good: only Gradio's `delete_cache` removes it
        return stored

    component.async_move_resource_to_block_cache = store_upload


def bound_session_names(most_characters: int) -> None:
    """Refuse calls with status 422 if their session's name is too long or isn't a proper name.

    Gradio keeps the names of its newest sessions in several places. It also splits its tasks' names at a mark: if a
    session's name held that mark, nobody's call could be cancelled. Every call that names a session looks it up first.

    Args:
        most_characters: of a name, which consists of letters, digits, hyphens and underscores.
    """
    form = re.compile(rf"[\w-]{{0,{most_characters}}}", re.ASCII)

    def find(sessions: StateHolder, name: str) -> SessionState:
        if not form.fullmatch(name):
            raise HTTPException(422, f"session_hash: this is not a name of up to {most_characters} letters and digits.")
        return _FIND_SESSION(sessions, name)

    StateHolder.__getitem__ = find


def keep_no_values() -> None:
    """Keep Gradio from noting in sessions what calls give and get: pictures in base64, names of files, answers.

    It notes them to restore a page from a deep link, which the gate closes, and forgets them only when a session has to
    make room. No setting stops that.
    """

    def note_nothing(_: SessionState, key: int, value: Any) -> None:
        """In place of noting that a component has a value."""

    SessionState._update_value_in_config = note_nothing


def forget_unfetched(page: gr.Blocks, seconds: float) -> None:
    """Forget what calls in the queue gave, results that nobody fetches, and calls that were cancelled.

    Gradio keeps the last call with its picture until the next one, and results of its 2,000 newest sessions for good,
    any number per session. No setting limits that. It also keeps which session made each of 10,000 calls, for a monitor
    that is switched off.

    Args:
        page: the page with its queue, whose methods are replaced.
        seconds: how long a result can be fetched after its call has ended.
    """
    queue = page._queue
    queue.ANALYTICS_MAX_EVENTS = 1
    end, remove = queue.reset_iterators, queue.remove_from_queue

    async def reset_iterators(event_id: str) -> None:  # when a call ends that has begun, cancelled or not
        event = queue.event_ids_to_events.get(event_id)
        await end(event_id)
        if event:
            # The queue's own loops hold the last event, and its task with this context, until another one comes.
            event.data = event.request = None
            LocalContext.request.set(None)
            forget_later(event)

    async def remove_from_queue(event_id: str) -> None:  # when one ends that hasn't
        event = queue.event_ids_to_events.get(event_id)
        await remove(event_id)
        if event and event_id not in queue.event_ids_to_events:
            forget_later(event)

    def forget_later(event: Any) -> None:
        # In an empty context, because the current one holds the request, with the picture in it.
        nothing = contextvars.Context()
        asyncio.get_running_loop().call_later(seconds, forget, event.session_hash, event._id, context=nothing)

    def forget(session: str, event: str) -> None:
        waiting = queue.pending_event_ids_session.get(session, set())
        waiting.discard(event)
        if not waiting:
            queue.pending_event_ids_session.pop(session, None)
            queue.pending_messages_per_session.pop(session, None)
        elif messages := queue.pending_messages_per_session.get(session):
            for _ in range(messages.qsize()):
                message = messages.get_nowait()
                if message.event_id != event:
                    messages.put_nowait(message)

    queue.reset_iterators, queue.remove_from_queue = reset_iterators, remove_from_queue


def fill_in_defaults(page: gr.Blocks, names: Collection[str]) -> None:
    """Let HTTP calls leave out values at the end, and use the inputs' default values instead.

    Gradio fills them in only for its own clients. Any other call would fail once its function gets another input.

    Args:
        page: the page, whose method is replaced.
        names: API names of the functions.
    """
    process = page.process_api

    async def process_api(block_fn: Any, inputs: list[Any], *rest: Any, **named: Any) -> Any:
        if block_fn.api_name in names and inputs:
            inputs = [*inputs, *(component.value for component in block_fn.inputs[len(inputs) :])]
        return await process(block_fn, inputs, *rest, **named)

    page.process_api = process_api


def read_values_by(component: gr.components.Component, read: Callable[[Any], Any]) -> None:
    """Have a function read the values given to a component, instead of the component's own `preprocess`.

    The documented way is a subclass, but for that Gradio would write a stub file into the source folder.

    Args:
        component: the input component.
        read: turns the value that Gradio received into the argument of the event's function.
    """
    component.preprocess = read


def note_uploads_in(page: gr.Blocks, uploads: set[str]) -> None:
    """Have Gradio note the paths of uploads in this set, since no event reports uploads.

    Args:
        page: the page that takes the uploads.
        uploads: the set.
    """
    page.upload_file_set = uploads


def noted_uploads(scope: Mapping[str, Any]) -> Any:
    """The set of uploads of the page that answers a request.

    Args:
        scope: the request's ASGI scope.

    Returns:
        The set given to `note_uploads_in`.
    """
    return scope["app"].get_blocks().upload_file_set


def that_leaves_no_note(scope: Scope) -> Scope:
    """Change a request so that Gradio keeps nothing of it, neither for others nor for good.

    Gradio keeps the progress of every upload that has a name in its address. It also keeps the first list of functions
    that it makes, whose code samples name the host that the first caller claimed to call. Only if the address names a
    page, "" for the main one, does it make a new list for each request. (For calls that need no such samples,
    `around_whole_server` has it keep a list without them.)

    Args:
        scope: the request's ASGI scope.
    """
    if scope["path"].endswith("/gradio_api/upload"):
        return {**scope, "query_string": b""}
    if scope["path"].rstrip("/").endswith("/gradio_api/info"):
        return {**scope, "query_string": scope["query_string"] + b"&page="}
    return scope


def address_of_page(request: Request) -> str:
    """The address at which a visitor opened the page, even behind proxies.

    It is the same one that the page's own scripts get.

    Args:
        request: asks for the page.

    Returns:
        An address such as https://example.org/faces, without a slash at its end.
    """
    root_path = request.app.root_path or request.scope.get("root_path")
    return get_root_url(request, route_path="/", root_path=root_path)


def caller_address() -> str:
    """The address whose call is running, as `network_of` counts it; "" if unknown.

    Behind a proxy it is the visitor's: uvicorn reads X-Forwarded-For if FORWARDED_ALLOW_IPS names the proxy (on a
    Space, `trust_proxies_of_space` sets that). A parameter of type gr.Request, the documented way, would become one of
    the endpoints.
    """
    client = getattr(LocalContext.request.get(None), "client", None)
    return network_of(str(getattr(client, "host", "")))


def server_function(scope: Scope, component: int, name: str) -> Callable[[Any], Coroutine[Any, Any, Any]] | None:
    """An async function that a gr.HTML of the page offers its script, with Gradio's context for the call set up.

    Otherwise only Gradio's own slow route leads there. That route alone knows who is logged in, if a login is required.

    Args:
        scope: ASGI scope of the request.
        component: number of the gr.HTML.
        name: name of the function.

    Returns:
        The function; None if there is none, or if visitors have to log in.
    """
    app = scope["app"]
    if app.auth or app.auth_dependency:
        return None
    page = app.get_blocks()
    function = getattr(page.blocks.get(component), name, None)
    if not getattr(function, "_is_server_fn", False) or not inspect.iscoroutinefunction(function):
        return None
    return get_function_with_locals(
        function, page, event_id=None, in_event_listener=False, request=Request(scope), state=None
    )


def hide_from_models(page: gr.Blocks) -> None:
    """Keep the functions that a page has so far from becoming tools for language models.

    Every event with an API name becomes a tool, unless it is marked as a resource or a prompt, which these aren't. As a
    tool, a function for uploads would leave a file behind, and wouldn't answer with JSON.

    Args:
        page: the page; functions added later do become tools.
    """
    for function in page.fns.values():
        function.fn._mcp_type = "endpoint"


def around_whole_server(
    wrap: Callable[[ASGIApp], ASGIApp],
) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    """A lifespan for `app_kwargs` that puts middleware around the whole server, Gradio's own middleware included.

    Ordinary middleware stands inside Gradio's own, which answers some requests by itself.

    Args:
        wrap: puts the middleware around an ASGI app.

    Returns:
        A lifespan context manager for Starlette.
    """

    @asynccontextmanager
    async def lifespan(app: Any) -> AsyncIterator[None]:
        app.api_info = app.get_blocks().get_api_info()  # see `that_leaves_no_note`
        whole = app.middleware_stack
        assert whole is not None  # this very call came through it
        app.middleware_stack = wrap(whole)
        yield
        app.middleware_stack = whole

    return lifespan


def frontend_folder() -> Path:
    """The folder of the scripts and styles of Gradio's own page, which it serves at /assets/.

    Gradio has no setting for how it serves them.
    """
    return Path(BUILD_PATH_LIB)


def event_loop_of(page: gr.Blocks) -> asyncio.AbstractEventLoop:
    """The event loop that answers visitors, which Gradio runs in its own thread and doesn't expose.

    Args:
        page: the page, after its launch.
    """
    return page.server.servers[0].get_loop()


def close(page: gr.Blocks, answers_seconds: int, close_seconds: float) -> None:
    """Stop serving a page: requests get a moment to be answered, then their connections are cut.

    `gr.Blocks.close` waits without limit for every open page to go, and leaves the tunnel of --share open.

    Args:
        page: may already be closed, or never have been served.
        answers_seconds: how long requests get.
        close_seconds: how long this takes at most.
    """
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # it would log each request that is cut
    if getattr(page, "server", None) is not None:
        page.server.config.timeout_graceful_shutdown = answers_seconds
    closing = threading.Thread(target=page.close, kwargs={"verbose": False}, daemon=True)
    with redirect_stderr(io.StringIO()):  # Gradio prints a traceback for each
        closing.start()
        closing.join(close_seconds)
    for tunnel in CURRENT_TUNNELS:
        tunnel.kill()


def hosts_in_own_network() -> list[str]:
    """Patterns of the public hosts in a Space's own network, from which Gradio fetches all the same."""
    # Imported here, since only the tool for language models needs it.
    from gradio.processing_utils import PUBLIC_HOSTNAME_WHITELIST

    return PUBLIC_HOSTNAME_WHITELIST

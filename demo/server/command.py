"""The command that serves the SlimNet Faces page: `python app.py`, or `slimnet-faces` once installed."""

import argparse
import importlib.util
import os
import re
import ssl
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from demo.option_types import add_device
from demo.server.http.address import AddressError, as_root, check_can_listen, in_brackets, pass_by_proxies, to_open
from demo.server.http.connections import bound_connections
from demo.server.http.shutdown import close, end_by_signals, ended_at_once, leave
from demo.server.http.temporary_folder import TemporaryFolderError, own_temporary_folder
from demo.server.network import trust_proxies_of_space
from demo.server.watchdog import Watchdog

if TYPE_CHECKING:
    import gradio as gr

_FIRST_PORT = 7860  # that Gradio tries unless told otherwise


def site(text: str) -> str:
    """Parse the address of a site, for argparse.

    Args:
        text: an http or https address without a path, in which `*.` stands for all subdomains.

    Returns:
        The address without a slash at its end.

    Raises:
        argparse.ArgumentTypeError: the text isn't such an address.
    """
    if not re.fullmatch(r"https?://((\*\.)?[\w.-]+|\[[\da-fA-F:]+\])(:\d+)?/?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text} is not the address of a site, such as https://example.org")
    return text.rstrip("/")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the options, and check them as far as that is possible without the page.

    Args:
        arguments: without the program's name; None for those that the program was started with.

    Returns:
        The options, with the operator's name on one line.

    Raises:
        SystemExit: with 2, for a wrong option.
    """
    parser = argparse.ArgumentParser(description="Serve the SlimNet Faces page.")
    parser.add_argument("--weights", type=Path, metavar="PATH", help="SlimNet weights (default: those in assets)")
    add_device(parser)
    # None leaves the choice to Gradio's own environment variables, GRADIO_SERVER_NAME and GRADIO_SERVER_PORT.
    parser.add_argument("--host", metavar="H", help="address to serve at, 0.0.0.0 or :: for other machines")
    parser.add_argument("--port", type=int, metavar="P", help=f"default: the first free one from {_FIRST_PORT} on")
    parser.add_argument("--share", action="store_true", help="also serve publicly, through gradio.live")
    parser.add_argument("--ssl_certfile", metavar="F", help="certificate; other machines get the camera by https only")
    parser.add_argument("--ssl_keyfile", metavar="F", help="private key of the certificate")
    parser.add_argument("--operator", metavar="NAME", help="who runs this page: visitors are told first")
    parser.add_argument("--root_path", metavar="PATH", help="where the page is behind a proxy, as /faces")
    sites = "other sites that may show the page in a frame: https://example.org"
    parser.add_argument("--frame_ancestors", nargs="+", default=(), type=site, metavar="URL", help=sites)
    parser.add_argument("--mcp", action="store_true", help="offer a tool to language models: pip install 'gradio[mcp]'")
    chosen = parser.parse_args(arguments)
    chosen.operator = operator_name(parser, chosen.operator)
    # Gradio's own environment variables count, too. The page has to be built for the first; without the second, Gradio
    # would share the page unasked on Kaggle and SageMaker.
    chosen.mcp = chosen.mcp or os.environ.get("GRADIO_MCP_SERVER", "").lower() == "true"
    chosen.share = chosen.share or os.environ.get("GRADIO_SHARE", "").lower() == "true"
    if chosen.mcp and not importlib.util.find_spec("mcp"):
        parser.error("--mcp needs another package: pip install 'gradio[mcp]'")
    if chosen.port is not None and not 0 < chosen.port < 2**16:
        parser.error(f"--port {chosen.port}: ports are numbers from 1 to {2**16 - 1}")
    from_environment = os.environ.get("GRADIO_SERVER_PORT", str(_FIRST_PORT))
    if not from_environment.isdecimal() or not 0 < int(from_environment) < 2**16:
        parser.error(f"GRADIO_SERVER_PORT={from_environment}: ports are numbers from 1 to {2**16 - 1}")
    if (chosen.ssl_certfile is None) != (chosen.ssl_keyfile is None):
        parser.error("--ssl_certfile and --ssl_keyfile go together")
    if chosen.ssl_certfile is not None:
        try:
            pair = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            pair.load_cert_chain(chosen.ssl_certfile, chosen.ssl_keyfile, password="")
        except OSError as error:
            parser.error(f"the certificate {chosen.ssl_certfile} or its key cannot be used: {error}")
    return chosen


def operator_name(parser: argparse.ArgumentParser, name: str | None) -> str | None:
    """The operator's name on one line, from SLIMNET_OPERATOR if the option is missing: a Space takes no options.

    Args:
        parser: reports a name that is empty or can't be encoded, and exits.
        name: value of the option; None if missing.

    Returns:
        The name; None if there is no operator.
    """
    name = os.environ.get("SLIMNET_OPERATOR") or None if name is None else name
    if name is None:
        return None
    name = " ".join(name.split())
    if not name:
        parser.error("--operator needs a name: a person's or an organisation's")
    try:
        name.encode()
    except UnicodeEncodeError:
        parser.error("--operator: the name is not in this terminal's encoding, as a rule UTF-8")
    return name


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted.

    Args:
        arguments: without the program's name; None for those that the program was started with.

    Returns:
        The exit status: 0 after an interrupt, 2 if the page can't be served as asked.
    """
    chosen = parse_arguments(arguments)
    end_by_signals()
    # OpenTelemetry, through which FastAPI and MCP can report each request. The page promises that nothing is sent to
    # anybody. Not in slimnet.telemetry: a program that uses slimnet may want reports of its own requests.
    os.environ["OTEL_SDK_DISABLED"] = "true"
    # With the first, Gradio would wait within its launch, before the page is guarded. With the second, it would open
    # more ports, which take uploads and hand them out.
    for variable in ("GRADIO_DEBUG", "GRADIO_NUM_WORKERS"):
        os.environ.pop(variable, None)
    trust_proxies_of_space()
    try:
        host = _host(chosen)
        with own_temporary_folder() as folder:
            with ended_at_once(folder):
                page = _page(chosen)
            return 2 if page is None else _serve(page, chosen, host, folder)
    except (AddressError, TemporaryFolderError) as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("SlimNet Faces has ended.")
        return 0


def _host(chosen: argparse.Namespace) -> str:
    """The host to serve at. From then on this program can call it without any proxy.

    Raises:
        AddressError: the page can't be served there.
    """
    # Removed from the environment: Gradio would look for a free port at that host, which fails for IPv6 addresses.
    named = os.environ.pop("GRADIO_SERVER_NAME", "")
    host = (chosen.host or named or "127.0.0.1").strip("[]")
    try:
        check_can_listen(host, chosen.port)
    except OSError as error:
        raise AddressError(_taken(host, chosen.port)) from error
    why = pass_by_proxies(host)
    if why and chosen.share:
        raise AddressError(f"--share cannot go through the proxy that the environment names: {why}")
    return host


def _page(chosen: argparse.Namespace) -> "gr.Blocks | None":
    """Build the page as asked. Gives None, and a line on stderr, if there are no such weights or no such device."""
    # Gradio asks matplotlib for its backend at each call. Without this, the first call waits for a search of all fonts.
    os.environ.setdefault("MPLBACKEND", "agg")
    # Imported here, so that --help and wrong options don't take seconds, and gradio finds its temporary folder.
    import torch

    from demo.paths import WEIGHTS
    from demo.pictures.decoders import DECODERS
    from demo.server.page import build
    from demo.server.zero_gpu import pipelines
    from slimnet import CheckpointError

    # Visitors are served side by side already: with two threads a frame took twice as long on two busy cores.
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", module=r"PIL\.")  # Pillow's quote what visitors send, and would be kept for good
    try:
        DECODERS.start()  # so that it is ready before the first visitor
        live, photos = pipelines(chosen.weights or WEIGHTS, chosen.device)
    except (CheckpointError, OSError, ValueError, RuntimeError) as error:
        print(f"app.py: {error}", file=sys.stderr)
        return None
    return build(live, photos, mcp=chosen.mcp, operator=chosen.operator)


def _serve(page: "gr.Blocks", chosen: argparse.Namespace, host: str, folder: Path) -> int:
    """Serve the page until interrupted. Gives the exit status if it can't be served."""
    from demo.server.gradio_internals import event_loop_of
    from demo.server.page import launch_options

    try:
        _, local, public = page.launch(
            server_name=in_brackets(host),
            server_port=chosen.port,
            share=chosen.share,
            mcp_server=chosen.mcp,
            ssl_certfile=chosen.ssl_certfile,
            ssl_keyfile=chosen.ssl_keyfile,
            ssl_verify=False,  # for Gradio's call to itself at the start, which fails with a self-signed certificate
            prevent_thread_lock=True,
            root_path=as_root(chosen.root_path or os.environ.get("GRADIO_ROOT_PATH", "")),
            **launch_options(folder, chosen.frame_ancestors),
        )
        bound_connections(page)
        Watchdog(event_loop_of(page)).start()
        print(f"SlimNet Faces is at {public or to_open(local)}", flush=True)
        while True:  # an Event would not let Ctrl+C through on Windows
            time.sleep(1)
    except OSError:  # how Gradio says that the port is taken, or that the address is not this machine's
        print(f"app.py: {_taken(host, chosen.port)}", file=sys.stderr)
        return 2
    except ValueError as error:  # how Gradio says that its own first request was not answered within seconds
        print(f"app.py: the page did not come up, for a busy machine or a proxy: {error}", file=sys.stderr)
        return 2
    finally:
        close(page)


def _taken(host: str, port: int | None) -> str:
    first = os.environ.get("GRADIO_SERVER_PORT", _FIRST_PORT)
    where = f"every port from {first} on" if port is None else f"port {port}"
    return f"{where} at {host} is in use or not allowed: choose another one with --port"


def run() -> NoReturn:
    """Serve the page, then end the process with the exit status of `main`."""
    leave(main())

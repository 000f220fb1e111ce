"""Serves the SlimNet Faces page: `python app.py`."""

import argparse
import importlib.util
import os
import signal
import ssl
import sys
import time
from pathlib import Path

# Before gradio is imported, which reads it: the page promises that nothing about a visit is sent anywhere.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Serve the SlimNet Faces page.")
    parser.add_argument("--weights", type=Path, metavar="PATH", help="SlimNet weights (default: those in assets)")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda", "mps"))
    # None leaves the choice to Gradio's own environment variables, GRADIO_SERVER_NAME and so on.
    parser.add_argument("--host", metavar="H", help="address to serve at, 0.0.0.0 for other machines")
    parser.add_argument("--port", type=int, metavar="P", help="default: the first free one from 7860 on")
    parser.add_argument("--share", action="store_true", default=None, help="also serve publicly, through gradio.live")
    parser.add_argument("--ssl_certfile", metavar="F", help="certificate; other machines get the camera by https only")
    parser.add_argument("--ssl_keyfile", metavar="F", help="private key of the certificate")
    parser.add_argument("--mcp", action="store_true", help="offer a tool to language models: pip install 'gradio[mcp]'")
    chosen = parser.parse_args(arguments)
    # By Gradio's own environment variable, too; here, since the page has to be made for it.
    chosen.mcp = chosen.mcp or os.environ.get("GRADIO_MCP_SERVER", "").lower() == "true"
    if chosen.mcp and not importlib.util.find_spec("mcp"):
        parser.error("--mcp needs another package: pip install 'gradio[mcp]'")
    if chosen.port is not None and not 0 < chosen.port < 2**16:
        parser.error(f"--port {chosen.port}: ports are numbers from 1 to {2**16 - 1}")
    if (chosen.ssl_certfile is None) != (chosen.ssl_keyfile is None):
        parser.error("--ssl_certfile and --ssl_keyfile go together")
    if chosen.ssl_certfile is not None:
        try:
            pair = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            pair.load_cert_chain(chosen.ssl_certfile, chosen.ssl_keyfile, password="")
        except OSError as error:
            parser.error(f"the certificate {chosen.ssl_certfile} or its key cannot be used: {error}")
    return chosen


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted. Gives the exit status: 2 when the page cannot be served as asked."""
    chosen = parse_arguments(arguments)
    # Here and not above, so that --help and a wrong option need no seconds.
    import torch

    from demo.hardware import pipelines
    from demo.page import build, launch_options
    from demo.pipeline import WEIGHTS
    from slimnet import CheckpointError

    # Visitors are served side by side already: with two threads a frame took twice as long on two busy cores.
    torch.set_num_threads(1)
    try:
        live, photos = pipelines(chosen.weights or WEIGHTS, chosen.device)
    except (CheckpointError, OSError, ValueError, RuntimeError) as error:
        print(f"app.py: {error}", file=sys.stderr)
        return 2
    page = build(live, photos, mcp=chosen.mcp)
    # To be stopped is no different from Ctrl+C, from the moment the page can be reached.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        _, address, public = page.launch(
            server_name=chosen.host,
            server_port=chosen.port,
            share=chosen.share,
            mcp_server=chosen.mcp,
            ssl_certfile=chosen.ssl_certfile,
            ssl_keyfile=chosen.ssl_keyfile,
            ssl_verify=False,  # of Gradio's call to itself at the start, which a self-signed certificate would fail
            prevent_thread_lock=True,
            **launch_options(),
        )
        print(f"SlimNet Faces is at {public or address}", flush=True)
        while True:  # an Event would not let Ctrl+C through on Windows
            time.sleep(1)
    except OSError:  # how Gradio says that the port is taken, or that the address is not this machine's
        where = "every port from 7860 on" if chosen.port is None else f"port {chosen.port}"
        host = "" if chosen.host is None else f" at {chosen.host}"
        print(f"app.py: {where}{host} is in use or not allowed: choose another one with --port", file=sys.stderr)
        return 2
    except ValueError as error:  # how Gradio says that its own first request was not answered within seconds
        print(f"app.py: the page did not come up, for a busy machine or a proxy: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("SlimNet Faces has ended.")
    finally:
        # Ends open connections too, else Gradio would not come to deleting the uploads that nobody asked about.
        page.close(verbose=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())

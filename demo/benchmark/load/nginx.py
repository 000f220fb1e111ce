"""Runs nginx on this machine, in front of pages served here."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.benchmark.server import NotServedError

NGINX = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")
_START_SECONDS = 30
_MAIN = """
daemon off; pid {folder}/nginx.pid; error_log stderr; {user}
worker_processes auto; worker_rlimit_nofile 20000;  # as in demo/replicas/main.conf
events {{ worker_connections 16384; }}
http {{
    log_format copies '$request_method $uri $cookie_copy $upstream_addr $status';
    access_log {folder}/access.log copies;
    client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/answers; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    {inside}
}}
"""


@contextmanager
def serving(inside: str, port: int, folder: Path) -> Iterator[None]:
    """Run nginx.

    Args:
        inside: its configuration inside the `http` block.
        port: the port on 127.0.0.1 that this configures.
        folder: for its files; `access.log` there has a line for each request: method, path, the cookie `copy`, the
            servers asked, status.

    Yields:
        Nothing, once it listens.

    Raises:
        NotServedError: nginx is not installed, or does not come up; stderr says why.
    """
    if not NGINX:
        raise NotServedError("there is no nginx on this machine: install nginx-light, or nginx")
    configuration = folder / "nginx.conf"
    user = "user root;" if os.name == "posix" and os.geteuid() == 0 else ""
    configuration.write_text(_MAIN.format(folder=folder, user=user, inside=inside), encoding="utf-8")
    process = subprocess.Popen([NGINX, "-c", str(configuration), "-p", str(folder)])
    try:
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise NotServedError("nginx did not come up")

"""Watches a program with strace, and reads from strace's files what it did."""

import ipaddress
import os
import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_NETWORK = ("connect", "sendto", "sendmsg", "sendmmsg")
_OPENING = ("open", "openat", "openat2", "creat")
_MAKING = ("mkdir", "mkdirat", "mknod", "mknodat", "link", "linkat", "symlink", "symlinkat")
_MOVING = ("rename", "renameat", "renameat2")
# A question mark allows a call to be missing, as older ones are on ARM.
_CALLS = ",".join(f"?{call}" for call in (*_NETWORK, *_OPENING, *_MAKING, *_MOVING))
_WRITES = re.compile(r"O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")

# -xx writes every string in hexadecimal, so that no file name can be mistaken for part of a call.
_TEXT = r'"((?:\\x[0-9a-f]{2})*)"'
_CALL = re.compile(r"(\w+)\((.*)")
_INTERNET = re.compile(
    r"sa_family=AF_INET6?, sin6?_port=htons\((\d+)\), "
    rf"(?:sin_addr=inet_addr\(|sin6_flowinfo=\w+\(\d+\), inet_pton\(AF_INET6, ){_TEXT}"
)
_OTHER_FAMILY = re.compile(r"sa_family=(?!AF_UNIX|AF_NETLINK|AF_UNSPEC|AF_INET)(\w+)")
_LOCAL_SOCKET = re.compile(rf"sa_family=AF_UNIX, sun_path={_TEXT}")
_TO_NAME_SERVER = re.compile(r"\d+<\w+:\[[^\]]*:(?:53|5353|5355)\]>")
_FOLDER = re.compile(r"<((?:\\x[0-9a-f]{2})+)>, $")
_RESULT_PATH = re.compile(r"\d+<((?:\\x[0-9a-f]{2})+)>$")

_NAME_PORTS = (53, 5353, 5355)  # DNS, multicast DNS, LLMNR
# Services of the machine that look up names for programs, from outside their network namespace.
_NAME_SERVICES = ("nscd/socket", "io.systemd.Resolve", "avahi-daemon/socket")
_DNS_HEADER_BYTES = 12
_NO_FILES = (Path("/dev"), Path("/proc"), Path("/sys"))
_SHARED_MEMORY = Path("/dev/shm")
_END = re.compile(r"^\+\+\+ ", re.MULTILINE)
_END_SECONDS = 30


class TraceError(RuntimeError):
    """strace wrote nothing, or its files break off."""


@dataclass(frozen=True)
class Activity:
    """What a program and everything it started tried to do, successfully or not.

    Attributes:
        connections: addresses outside this machine that it connected or sent to.
        lookups: names that were looked up, or the name server if the name is unknown.
        written: paths that were created, or opened for writing, outside /dev, /proc and /sys.
    """

    connections: tuple[str, ...]
    lookups: tuple[str, ...]
    written: tuple[Path, ...]


def strace_command(command: Iterable[str], files: Path) -> tuple[str, ...]:
    """Prefix a command with strace, which writes a file for each thread and process.

    The started process becomes the command itself, so that signals reach it and its status is returned.

    Args:
        command: the program and its arguments.
        files: path of strace's files without their suffix, a full stop and the thread's number.

    Returns:
        The command with `strace` in front.
    """
    options = ("-D", "-ff", "--seccomp-bpf", "-yy", "-xx", "-s", "4096", "-e", f"trace={_CALLS}")
    return ("strace", *options, "-o", str(files), *command)


def read_trace(files: Path, folder: Path) -> Activity:
    """Read what a command from `strace_command` did, once it has ended.

    Args:
        files: path of strace's files, as for `strace_command`.
        folder: working directory of the command, for relative paths.

    Returns:
        What the command and everything it started tried to do.

    Raises:
        TraceError: there is no trace, or it breaks off.
    """
    connections: set[str] = set()
    lookups: set[str] = set()
    written: set[Path] = set()
    for text in _whole_traces(files):
        asked, servers = set(), set()
        for line in text.splitlines():
            call = _CALL.match(line)
            if call is None:
                continue
            name, rest = call.groups()
            if name in _NETWORK:
                connections |= set(_connections(rest))
                servers |= set(_name_servers(rest))
                asked |= set(_names_asked(rest))
            else:
                written |= set(_written(name, rest, folder))
        lookups |= asked or servers
    return Activity(tuple(sorted(connections)), tuple(sorted(lookups)), tuple(sorted(written)))


def _whole_traces(files: Path) -> list[str]:
    """The text of each file. strace completes them a moment after the command has ended."""
    end = time.monotonic() + _END_SECONDS
    while time.monotonic() < end:
        texts = [file.read_text(encoding="ascii") for file in files.parent.glob(f"{files.name}.*")]
        if texts and all(map(_END.search, texts)):
            return texts
        time.sleep(0.1)
    raise TraceError("strace wrote nothing" if not texts else "a process was still running after the program had ended")


def _connections(rest: str) -> Iterator[str]:
    for port, address in _internet(rest):
        if port not in _NAME_PORTS and not _is_this_machine(address):
            yield f"{address} port {port}"
    yield from _OTHER_FAMILY.findall(rest)


def _name_servers(rest: str) -> Iterator[str]:
    """The name servers and services asked, on this machine or elsewhere."""
    yield from (f"a name, at {address} port {port}" for port, address in _internet(rest) if port in _NAME_PORTS)
    if rest.endswith(" = 0"):
        paths = (_path(text) for text in _LOCAL_SOCKET.findall(rest))
        yield from (f"a name, at {path}" for path in paths if str(path).endswith(_NAME_SERVICES))


def _internet(rest: str) -> list[tuple[int, str]]:
    return [(int(port), _bytes(address).decode()) for port, address in _INTERNET.findall(rest)]


def _is_this_machine(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    parsed = getattr(parsed, "ipv4_mapped", None) or parsed
    return parsed.is_loopback or parsed.is_unspecified


def _names_asked(rest: str) -> Iterator[str]:
    if _TO_NAME_SERVER.match(rest):
        for text in re.findall(_TEXT, rest):
            name = _question(_bytes(text))
            if name:
                yield name


def _question(query: bytes) -> str:
    """The name that a DNS query asks for; empty if it is not a query."""
    labels, rest = [], query[_DNS_HEADER_BYTES:]
    while rest and rest[0]:
        labels.append(rest[1 : 1 + rest[0]])
        rest = rest[1 + rest[0] :]
    return b".".join(labels).decode("ascii", "replace")


def _written(name: str, rest: str, folder: Path) -> Iterator[Path]:
    arguments, _, result = rest.rpartition(" = ")
    if name in _OPENING:
        opened = _RESULT_PATH.search(result)
        if opened and (name == "creat" or _WRITES.search(arguments)):
            yield from _files(_path(opened[1]))
    elif result == "0":
        # The new path is the last one in the call, relative to the folder before it, if any.
        last = list(re.finditer(_TEXT, arguments))[-1]
        base = _FOLDER.search(arguments[: last.start()])
        yield from _files((_path(base[1]) if base else folder) / _path(last[1]))


def _files(path: Path) -> Iterator[Path]:
    """The path, if it is a file's: pipes have no path, and a file without a name is gone once closed."""
    devices = any(path.is_relative_to(place) for place in _NO_FILES) and not path.is_relative_to(_SHARED_MEMORY)
    if path.is_absolute() and not devices and not path.name.endswith(" (deleted)"):
        yield path


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def _path(text: str) -> Path:
    return Path(os.fsdecode(_bytes(text)))

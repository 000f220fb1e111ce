"""A network namespace for one program, in which it can only reach itself."""

import os
import socket
import struct
from collections.abc import Iterable
from pathlib import Path

_SET_ADDRESS, _SET_FLAGS = 0x8916, 0x8914  # SIOCSIFADDR, SIOCSIFFLAGS
_UP = 1  # IFF_UP
_NAME_BYTES = 16


def in_own_network(command: Iterable[str]) -> tuple[str, ...]:
    """Prefix a command so that it runs in a network namespace: as root, or as root of a user namespace.

    Args:
        command: the program and its arguments.

    Returns:
        The command with `unshare` in front.
    """
    options = ("--net",) if os.geteuid() == 0 else ("--net", "--map-root-user")
    return ("unshare", *options, "--", *command)


def connect_to_itself() -> None:
    """Bring up the loopback interface of this namespace, with the addresses of the machine's name servers on it.

    A program there can then send DNS queries, from which the trace learns the names. Nobody answers them.
    """
    import fcntl  # imported here, since Windows lacks it

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, _SET_FLAGS, struct.pack(f"{_NAME_BYTES}sh22x", b"lo", _UP))
        for number, address in enumerate(_name_servers()):
            family = struct.pack("HH4s8x", socket.AF_INET, 0, address)
            fcntl.ioctl(control, _SET_ADDRESS, struct.pack(f"{_NAME_BYTES}s", b"lo:%d" % number) + family + bytes(8))


def _name_servers() -> list[bytes]:
    """The IPv4 addresses in /etc/resolv.conf, except those that the loopback interface has anyway."""
    configuration = Path("/etc/resolv.conf")
    lines = configuration.read_text(encoding="utf-8").splitlines() if configuration.exists() else []
    words = [line.split() for line in lines]
    names = [word[1] for word in words if len(word) > 1 and word[0] == "nameserver" and ":" not in word[1]]
    return [socket.inet_aton(name) for name in names if not name.startswith("127.")]

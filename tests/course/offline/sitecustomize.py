"""Cuts every Python process off from all but its own machine: the course needs no network."""

import sys

LOCAL = ("127.", "localhost", "::1", "0.0.0.0")  # noqa: S104 - an address to compare with


def refuse(event: str, arguments: tuple[object, ...]) -> None:
    """Refuse connections and look-ups that leave the machine."""
    if event == "socket.connect":
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments[0]
    else:
        return
    host = address[0] if isinstance(address, tuple) else address
    if event == "socket.connect" and not isinstance(address, tuple):
        return  # a Unix socket
    if isinstance(host, bytes):
        host = host.decode()
    if isinstance(host, str) and host and not host.startswith(LOCAL):
        raise OSError(f"The course must work without a network, but something asks for {host}.")


sys.addaudithook(refuse)

"""Ports for servers that are told theirs and open it seconds later."""

from __future__ import annotations

import random
import socket

BELOW_THE_SYSTEMS = range(20_000, 30_000)
"""The system hands out none of these by itself, neither to servers of other tests nor to their callers."""


def free_port() -> int:
    """A port of this machine that nobody listens on, and that nobody else is going to get by chance."""
    while True:
        port = random.SystemRandom().choice(BELOW_THE_SYSTEMS)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port

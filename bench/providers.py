"""What a call to an OpenAI-compatible server costs: 2,000 calls, 32 in flight, a server that takes 50 ms.

    python -m bench.providers
    python -m bench.providers --calls 2000 --in-flight 32

The server is a process of its own; CPU seconds are those of the calling process, start-up left out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tests.fake_openai import completion
from workbench.core.model import ModelSpec, Request
from workbench.core.prompt import Sampling
from workbench.models.openai_compatible import OpenAICompatible

DELAY_S = 0.05
MESSAGES = (
    {"role": "system", "content": "You solve arithmetic word problems."},
    {"role": "user", "content": "Ana has 4 apples and buys 38 more. How many apples does Ana have now?"},
)
SAMPLING = Sampling(temperature=0.0, max_tokens=160, seed=1)
Call = Callable[[], Awaitable[str]]


class _Server(asyncio.Protocol):
    """As little HTTP as the clients need, so that the server never is what is measured."""

    body = json.dumps(completion("Answer: 42")).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"

    def __init__(self) -> None:
        self._received = b""

    def connection_made(self, transport: Any) -> None:
        """Remembers where to answer."""
        self._transport = transport

    def data_received(self, received: bytes) -> None:
        """Answers every complete request after the delay."""
        self._received += received
        while b"\r\n\r\n" in self._received:
            head, _, rest = self._received.partition(b"\r\n\r\n")
            lines = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            length = int(lines[0].split(b":")[1]) if lines else 0
            if len(rest) < length:
                return
            self._received = rest[length:]
            asyncio.get_running_loop().call_later(DELAY_S, self._answer)

    def _answer(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self.head.encode() + self.body)


async def serve() -> None:
    """Prints its port and serves until it is stopped."""
    server = await asyncio.get_running_loop().create_server(_Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def measure(call: Call, calls: int, in_flight: int) -> tuple[float, float]:
    """Wall and CPU seconds of that many calls."""
    await call()  # imports and the first connection are start-up
    remaining = calls

    async def one_lane() -> None:
        nonlocal remaining
        while remaining > 0:
            remaining -= 1
            await call()

    wall, cpu = time.perf_counter(), time.process_time()
    await asyncio.gather(*[one_lane() for _ in range(in_flight)])
    return time.perf_counter() - wall, time.process_time() - cpu


async def compare(base_url: str, calls: int, in_flight: int) -> None:
    """Prints one line for each way to call."""
    import openai

    async def by_package(client: Any) -> str:
        answer = await client.chat.completions.create(
            model="m", messages=MESSAGES, temperature=0.0, max_tokens=160, seed=1
        )
        return str(answer.choices[0].message.content)

    plain = openai.AsyncOpenAI(base_url=base_url, api_key="none")
    aiohttp = openai.AsyncOpenAI(
        base_url=base_url, api_key="none", http_client=openai.DefaultAioHttpClient(base_url=base_url)
    )
    model = OpenAICompatible(ModelSpec(name="bench", provider="openai", model="m", base_url=base_url))

    async def ours() -> str:
        return (await model.complete(Request(MESSAGES, SAMPLING))).text

    print(
        f"{calls:,} calls, {in_flight} in flight, 50 ms each: ideally {calls / in_flight * DELAY_S:.1f} s\n"
    )
    print("| client | wall s | CPU s |")
    print("| --- | --- | --- |")
    ways: list[tuple[str, Call]] = [
        ("`openai` as it comes", lambda: by_package(plain)),
        ("`openai` with its aiohttp transport", lambda: by_package(aiohttp)),
        ("the workbench's provider", ours),
    ]
    for name, call in ways:
        wall_s, cpu_s = await measure(call, calls, in_flight)
        print(f"| {name} | {wall_s:.2f} | {cpu_s:.2f} |", flush=True)
    await asyncio.gather(plain.close(), aiohttp.close(), model.close())


def main() -> None:
    """Starts the server, compares, and stops it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    command = [sys.executable, "-m", "bench.providers", "--serve"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            port = int(server.stdout.readline()) if server.stdout else 0
            asyncio.run(compare(f"http://127.0.0.1:{port}/v1", options.calls, options.in_flight))
        finally:
            server.terminate()


if __name__ == "__main__":
    main()

"""tests/support: Chromium driven over its DevTools pipe: nothing to install beside the browser itself."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
_FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--remote-debugging-pipe")
# The browser reads at 3 and writes at 4, whatever numbers the pipes have here.
_AT_3_AND_4 = """
import fcntl, os, sys
commands, answers = (fcntl.fcntl(int(number), fcntl.F_DUPFD, 10) for number in sys.argv[1:3])
os.dup2(commands, 3)
os.dup2(answers, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""
_PATIENCE_SECONDS = 30
_LARGEST_MESSAGE = 1 << 24


class Navigated(Exception):  # noqa: N818 - it is no fault
    """The page that was asked made way for another before it answered."""


class Page:
    """One page of the browser, used by keyboard."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._number = 0
        self._session = ""

    async def attach(self) -> None:
        """Take a page of its own; nothing is possible before."""
        target = (await self._ask("Target.createTarget", url="about:blank"))["targetId"]
        found = await self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = found["sessionId"]

    async def go(self, url: str) -> None:
        await self._ask("Page.navigate", url=url)

    async def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression gives in the page."""
        found = await self._ask("Runtime.evaluate", expression=expression, returnByValue=True)
        return found["result"].get("value")

    async def until(self, expression: str) -> None:
        """Wait until an expression holds in the page."""
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while not await self._holds(expression):  # noqa: ASYNC110 - only the page knows
                await asyncio.sleep(0.02)

    async def _holds(self, expression: str) -> bool:
        try:
            return bool(await self.evaluate(expression))
        except Navigated:  # whoever was asked has gone, and the next page has yet to come
            return False

    async def press(self, key: str, code: int, text: str = "") -> None:
        """A key, as a person presses it."""
        given = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        await self._ask("Input.dispatchKeyEvent", type="keyDown", text=text, **given)
        await self._ask("Input.dispatchKeyEvent", type="keyUp", **given)

    async def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._number += 1
        session = {"sessionId": self._session} if self._session else {}
        message = {"id": self._number, "method": method, "params": parameters, **session}
        self._writer.write(json.dumps(message).encode() + b"\0")
        async with asyncio.timeout(_PATIENCE_SECONDS):
            while True:
                found = json.loads((await self._reader.readuntil(b"\0"))[:-1])
                if found.get("id") == self._number:
                    if "navigated" in found.get("error", {}).get("message", ""):
                        raise Navigated
                    assert "error" not in found, found
                    return found["result"]


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Page]:
    """A browser with a profile of its own in a folder, and one page of it."""
    commands, to_browser = os.pipe()
    from_browser, answers = os.pipe()
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", _AT_3_AND_4, str(commands), str(answers)),
        *(CHROMIUM, *_FLAGS, f"--user-data-dir={folder}"),
        pass_fds=(commands, answers),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(commands)
    os.close(answers)
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=_LARGEST_MESSAGE)
    incoming, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(from_browser, "rb")
    )
    outgoing, protocol = await loop.connect_write_pipe(
        asyncio.streams.FlowControlMixin, os.fdopen(to_browser, "wb")
    )
    page = Page(reader, asyncio.StreamWriter(outgoing, protocol, reader, loop))
    try:
        await page.attach()
        yield page
    finally:
        process.terminate()
        await process.wait()
        outgoing.close()
        incoming.close()

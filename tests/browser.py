"""A headless Chromium to open a page in, driven over the DevTools protocol."""

from __future__ import annotations

import asyncio
import itertools
import json
import shutil
import subprocess
from collections.abc import Coroutine
from pathlib import Path
from types import TracebackType
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = next((found for name in NAMES if (found := shutil.which(name))), None)


class Page:
    """One page in a browser of its own: `with Page(folder) as page: page.open(url)`."""

    def __init__(self, folder: Path) -> None:
        assert CHROMIUM is not None
        self.process = subprocess.Popen(
            [
                *(CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"),
            ],
            stderr=subprocess.PIPE,
            text=True,
        )
        self.runner = asyncio.Runner()
        self.numbers = itertools.count(1)
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Page:
        self._run(self._connect())
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._run(self._disconnect())
        finally:
            self.process.terminate()
            self.process.communicate()
            self.runner.close()

    def open(self, url: str) -> None:
        self.ask("Page.navigate", url=url)
        self._run(self._until("Page.loadEventFired"))

    def press(self, key: str) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=key, code=key)

    def evaluate(self, expression: str) -> Any:
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def happened(self, method: str) -> list[dict[str, Any]]:
        """The parameters of all events of one kind so far."""
        return [event["params"] for event in self.events if event["method"] == method]

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self._run(self._ask(method, **parameters))

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(asyncio.wait_for(work, 30))

    async def _connect(self) -> None:
        from tornado.websocket import websocket_connect

        assert self.process.stderr is not None
        for line in self.process.stderr:
            if "DevTools listening on " in line:
                break
        port = line.rpartition("ws://")[2].partition("/")[0]
        from tornado.httpclient import AsyncHTTPClient

        tabs = json.loads((await AsyncHTTPClient().fetch(f"http://{port}/json")).body)
        tab = next(tab for tab in tabs if tab["type"] == "page")
        self.socket = await websocket_connect(tab["webSocketDebuggerUrl"])
        for domain in ("Page", "Runtime", "Network", "Log"):
            await self._ask(f"{domain}.enable")

    async def _disconnect(self) -> None:
        self.socket.close()
        await self.socket.read_message()  # None: it has been closed

    async def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self.numbers)
        await self.socket.write_message(
            json.dumps({"id": number, "method": method, "params": parameters})
        )
        while True:
            message = json.loads(await self.socket.read_message() or "{}")
            if message.get("id") == number:
                assert "error" not in message, message
                result: dict[str, Any] = message["result"]
                return result
            self.events.append(message)

    async def _until(self, method: str) -> None:
        while not any(event.get("method") == method for event in self.events):
            self.events.append(json.loads(await self.socket.read_message() or "{}"))

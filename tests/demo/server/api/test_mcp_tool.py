"""The tool for language models, called by a client of the Model Context Protocol."""

import asyncio
import base64
import json
import re
import urllib.request
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from demo.operating_points import POINTS
from demo.paths import WEIGHTS
from demo.pipeline.analyse import Pipeline
from demo.server.api.endpoints import add_endpoints
from demo.server.api.mcp_tool import add_tool, description
from demo.server.turns.photo_queue import PhotoQueue
from slimnet import ATTRIBUTES
from tests.missing import package
from tests.paths import PORTRAIT

package("mcp", "needs gradio[mcp]")


async def ask(url: str, *pictures: str) -> tuple[list[Any], list[Any]]:
    """The available tools, and the answer to a call for each picture."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamablehttp_client

    async with (
        streamablehttp_client(f"{url}gradio_api/mcp/") as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        tools = (await session.list_tools()).tools
        return tools, [await session.call_tool(tools[0].name, {"picture": picture}) for picture in pictures]


def test_a_language_model_is_told_what_it_does_and_gets_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    with gr.Blocks(analytics_enabled=False) as page:
        pipeline, queue = Pipeline.load(WEIGHTS, "cpu"), PhotoQueue()
        add_endpoints(page, pipeline, queue)
        add_tool(page, pipeline, queue)
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, run_history=False, mcp_server=True)
    try:
        text = base64.b64encode(PORTRAIT.read_bytes()).decode()
        [tool], answers = asyncio.run(ask(url, text, f"data:image/jpeg;base64,{text}", "x", f"{url}config"))
    finally:
        page.close()
    assert tool.name == "read_faces"
    assert "40 attributes, such as Smiling, Eyeglasses, Wavy_Hair:" in tool.description
    assert "emotion" not in tool.description
    for name, last in (("operating_point", "(the page's 'Find all')"), ("attribute", "they spoke for it")):
        assert tool.inputSchema["properties"][name]["description"].endswith(last)
    assert tool.inputSchema["properties"]["picture"]["type"] == "string"
    assert tool.inputSchema["required"] == ["picture"]
    face, same, no_picture, inside = (answer.content[0].text for answer in answers)
    assert len(json.loads(face)["faces"]) == 1
    assert face == same
    assert set(json.loads(face)["faces"][0]["ticks"]) == set(ATTRIBUTES)
    assert json.loads(face)["operating_point"] == "accuracy"
    assert set(tool.inputSchema["properties"]) == {"picture", "operating_point", "attribute"}
    assert "not base64" in no_picture
    assert "cannot be fetched" in inside  # an address in the server's own network
    assert [answer.isError for answer in answers] == [False, False, True, True]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_callers_send_stays_out_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with gr.Blocks(analytics_enabled=False) as page:
        add_tool(page, Pipeline.load(WEIGHTS, "cpu"), PhotoQueue())
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, run_history=False, mcp_server=True)
    calls = (("tools/call", {"name": "nonsense", "arguments": {}}), ("nonsense", {"name": "nonsense"}))
    accepted = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    try:
        for method, parameters in calls:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters}).encode()
            asked = urllib.request.Request(f"{url}gradio_api/mcp/", body, accepted)
            with urllib.request.urlopen(asked) as answer:
                assert "error" in answer.read().decode().lower()
    finally:
        page.close()
    assert "nonsense" not in caplog.text


def test_a_language_model_is_told_the_attributes_of_the_weights_in_use() -> None:
    told = description(("Smoking", "Eye_Patch", "Hook", "Parrot"))
    assert "4 attributes, such as Smoking, Eye_Patch, Hook:" in told
    assert "celebrities" not in told


def test_a_language_model_is_told_which_setting_of_the_page_an_operating_point_is() -> None:
    told = " ".join(description(ATTRIBUTES).split())
    _, *parts = re.split(rf"\b({'|'.join(POINTS)})\b", told[told.index("operating_point: ") :])
    for point, text in zip(parts[::2], parts[1::2], strict=True):
        assert f"(the page's '{POINTS[point].title}')" in text
    assert {*parts[::2]} == {*POINTS}

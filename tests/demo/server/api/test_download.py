import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest

from demo.limits import MAX_DOWNLOADS, MAX_REDIRECTS
from demo.server.api import download
from demo.server.api.download import Downloads, fetch
from demo.server.turns.line import TurnedAwayError
from tests.fakes.host import Host, serving


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[Host]:
    """A host that passes for one on the internet; this machine's others do not."""
    monkeypatch.setattr(download, "is_public", lambda address: address == "127.0.0.1")
    with serving() as host:
        yield host


@pytest.mark.parametrize("path", ["/file", "/moved", f"/steps{MAX_REDIRECTS}"])
def test_a_file_is_fetched_from_where_its_address_leads(host: Host, path: str) -> None:
    assert fetch(host.at(path)) == b"file"


def test_no_more_is_taken_than_a_picture_may_hold(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "MAX_PICTURE_BYTES", 2**20)
    with pytest.raises(gr.Error, match="larger than 1 MB"):
        fetch(host.at("/endless"))
    assert host.sent < 2**26  # that much was under way


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/nothing", "status 404"),
        ("/round", "too often"),
        (f"/steps{MAX_REDIRECTS + 1}", "too often"),
        ("/inside", "127.0.0.2 is in the server's own network"),
    ],
)
def test_what_cannot_be_fetched_is_said_with_the_reason(host: Host, path: str, why: str) -> None:
    with pytest.raises(gr.Error, match=f"{path} cannot be fetched: .*{why}"):
        fetch(host.at(path))


def test_the_servers_own_network_is_not_asked() -> None:
    with serving() as host:
        with pytest.raises(gr.Error, match="in the server's own network"):
            fetch(host.at("/file"))
        assert host.asked == []


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("64:ff9b::5db8:d70e", True),  # 93.184.215.14 behind NAT64
        ("10.0.0.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),  # a provider's network, or a private one on top of the internet
        ("100.100.100.200", False),
        ("192.0.0.192", False),
        ("224.0.0.1", False),
        ("0.0.0.0", False),
        ("::1", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::a00:1", False),  # 10.0.0.1 behind NAT64
        ("2002:a00:1::1", False),  # 10.0.0.1 by 6to4
        ("fe80::1%2", False),
    ],
)
def test_addresses_of_the_internet_are_told_from_those_of_networks(address: str, public: bool) -> None:
    assert download.is_public(address) == public


def test_what_is_said_of_an_address_is_bounded_and_can_be_sent() -> None:
    for address in ("http://x\ud800/" + "y" * 100_000, "http://x" + "y" * 60_000 + "/a"):
        with pytest.raises(gr.Error, match=r"http://x.*y cannot be fetched: .") as told:
            fetch(address)
        assert len(told.value.message.encode()) < 500


def test_a_host_that_nobody_knows_is_named() -> None:
    with pytest.raises(gr.Error, match=r"host nobody\.invalid is not known"):
        fetch("http://nobody.invalid/file")


def test_a_host_that_does_not_answer_is_left(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "DOWNLOAD_SECONDS", 0.2)
    with pytest.raises(gr.Error, match="in time"):
        fetch(host.at("/silent"))


def test_redirects_share_the_time_of_a_download(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "DOWNLOAD_SECONDS", 1.0)  # each of the five redirects takes 0.3
    with pytest.raises(gr.Error, match="in time"):
        fetch(host.at("/slow"))


def test_a_few_downloads_go_on_at_a_time_half_of_them_of_one_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    done = threading.Event()
    callers = iter(["greedy"] * MAX_DOWNLOADS + ["one", "two", "three", "later"])

    def fetch_slowly(address: str) -> bytes:
        assert done.wait(10)
        return address.encode()

    monkeypatch.setattr(download, "fetch", fetch_slowly)
    monkeypatch.setattr(download, "caller_address", lambda: next(callers))

    async def crowd() -> list[Any]:
        downloads = Downloads()
        calls = [asyncio.ensure_future(downloads.fetch(str(number))) for number in range(MAX_DOWNLOADS + 2)]
        await asyncio.sleep(0)
        calls[0].cancel()
        await asyncio.sleep(0)
        calls.append(asyncio.ensure_future(downloads.fetch("6")))
        await asyncio.sleep(0)
        done.set()
        answers = await asyncio.gather(*calls, return_exceptions=True)
        return [*answers, await downloads.fetch("later")]

    *answers, later = asyncio.run(crowd())
    turned_away = [number for number, answer in enumerate(answers) if isinstance(answer, TurnedAwayError)]
    assert (turned_away, later) == ([2, 3, 6], b"later")  # the cancelled one keeps its place meanwhile


def test_a_program_gets_the_place_that_two_greedy_addresses_ask_for_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    done = {str(number): threading.Event() for number in range(MAX_DOWNLOADS)}
    callers = iter([*["one", "two"] * (MAX_DOWNLOADS // 2), "hers", "one", "two", "hers"])

    def fetch_slowly(address: str) -> bytes:
        assert address not in done or done[address].wait(10)
        return address.encode()

    monkeypatch.setattr(download, "fetch", fetch_slowly)
    monkeypatch.setattr(download, "caller_address", lambda: next(callers))

    async def crowd() -> bytes:
        downloads = Downloads()
        calls = [asyncio.ensure_future(downloads.fetch(address)) for address in done]
        await asyncio.sleep(0)
        with pytest.raises(TurnedAwayError):
            await downloads.fetch("hers")
        done["0"].set()
        await calls[0]
        for address in ("one's next", "two's next"):
            with pytest.raises(TurnedAwayError):
                await downloads.fetch(address)
        hers = await downloads.fetch("hers")
        for event in done.values():
            event.set()
        await asyncio.gather(*calls)
        return hers

    assert asyncio.run(crowd()) == b"hers"

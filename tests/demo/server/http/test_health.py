import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from demo.server.http import health
from demo.server.watchdog import WORKS


def test_work_that_does_not_come_further_is_told_by_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "UNHEALTHY_SECONDS", 0)
    client = TestClient(Starlette(routes=[health.HEALTH_ROUTE]))
    with WORKS.under_way():
        answer = client.get("/healthz")
        assert (answer.status_code, answer.text) == (503, "thread MainThread: no step for 0 s\n")
        monkeypatch.setattr(health, "UNHEALTHY_SECONDS", 600)
        assert client.get("/healthz").status_code == 200
    monkeypatch.setattr(health, "UNHEALTHY_SECONDS", 0)
    answer = client.get("/healthz")
    assert (answer.status_code, answer.text) == (200, "ok\n")

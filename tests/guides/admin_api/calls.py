"""What the admin API answers, and its command."""

import asyncio

import pytest

from deploy.cli import main as cli
from tests.conformance.gateway.in_process import served
from tests.guides.trying import Trial


async def test_the_api_answers_on_the_internal_listener_only(trial: Trial) -> None:
    """Its own version is among those that it lists; outside there is no such address."""
    answer = await trial.administer("GET", "/admin/v1/versions/versions")
    assert answer.status_code == 200, answer.text
    states = {one["api"]: one["state"] for one in answer.json()["items"]}
    assert states["gateway/versions@1"] == "published"
    assert (await trial.call("GET", "/admin/v1/versions/versions", "platform")).status_code == 404


async def test_the_command_prints_what_the_api_answers(
    trial: Trial, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a person of the platform team."""
    for name, value in trial.environ.items():
        monkeypatch.setenv(name, value)
    async with served(trial.gateway.answer_internal, lifespan="off") as url:
        status = await asyncio.to_thread(cli.main, ["versions", "--url", url, "--data", str(trial.data)])
    assert status == 0
    assert "gateway/versions@1" in capsys.readouterr().out

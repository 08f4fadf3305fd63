"""tests/deploy: what a tier that stands apart says when its worker leaves."""

import httpx
from litestar import Litestar, get

from deploy.process.serving import closing


async def test_an_answer_of_a_worker_that_leaves_closes_its_connection():
    """The caller is told to go elsewhere, and has the answer whole."""

    @get("/")
    async def read() -> dict[str, str]:
        return {"said": "all"}

    tier = Litestar([read], openapi_config=None)

    async def leaving(scope, receive, send):
        await tier(scope, receive, closing(send))

    async with httpx.AsyncClient(transport=httpx.ASGITransport(leaving), base_url="http://a") as http:
        answer = await http.get("/")
    assert (answer.json(), answer.headers["connection"]) == ({"said": "all"}, "close")

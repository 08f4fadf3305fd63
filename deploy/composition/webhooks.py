"""deploy: a vendor's call at the gateway as the system tier's request, and its answer as a reply."""

from collections.abc import Awaitable, Callable

from gateway.exchange import Exchange, PipelineStep, Reply
from system_apis.connector import WebhookAnswer, WebhookRequest
from system_apis.intake import AddressedRequest

Receive = Callable[[AddressedRequest], Awaitable[WebhookAnswer]]


def webhook_step(public_url: str, receive: Receive) -> PipelineStep:
    """The step of the gateway's routes for webhooks; `public_url` is where vendors reach them."""

    async def take(exchange: Exchange) -> Reply:
        path = exchange.path_parameters
        request = WebhookRequest(
            method=exchange.method,
            url=_url_of(public_url, exchange),
            headers={k.decode("latin-1"): v.decode("latin-1") for k, v in exchange.headers.items()},
            body=await exchange.read_body(),
            name=path.get("name", ""),
        )
        answer = await receive(AddressedRequest(request, path.get("instance", ""), path.get("vendor", "")))
        return Reply(answer.status, [(b"content-type", answer.media_type.encode("latin-1"))], answer.body)

    return take


def _url_of(public_url: str, exchange: Exchange) -> str:
    """The address as the vendor wrote it: some sign it."""
    path = exchange.raw_path.decode("latin-1")
    query = "?" + exchange.query.decode("latin-1") if exchange.query else ""
    return public_url.rstrip("/") + path + query

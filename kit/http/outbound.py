"""The one way out to a vendor: wait for a turn, log in, send, judge the answer, retry where that is safe."""

import asyncio
import datetime as dt
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext, suppress
from typing import Any, Self, TypeVar

import httpx
import msgspec

from contracts.problems import DeadlineExceeded, Problem, VendorDoubtful, VendorUnavailable
from kit import context
from kit.http.answer import VendorAnswer
from kit.http.auth import LOGIN_FAILED
from kit.http.breaker import Breaker
from kit.http.budget import Budget, Turn
from kit.http.call import Call, by_status, make_call, retry_after
from kit.http.limits import Limits
from kit.http.login import Auth, Credentials, NoAuth
from kit.http.recorder import Recorder, VendorCall
from kit.http.streaming import ENCODINGS, MAX_BYTES, StreamedAnswer

T = TypeVar("T")
ReadError = Callable[[VendorAnswer], Problem | None]
ReadAllowance = Callable[[VendorAnswer], tuple[int, int] | None]

_REFUSAL_BYTES = 1 << 16
_LONGEST_PAUSE = 5.0  # seconds; a vendor that asks for more is left to the caller's own patience


class Outbound:
    """One client per vendor instance, opened once and shared.

    `read_error` turns the vendor's error answers into problems (None: judge by the status alone);
    `read_success` finds the error that a vendor puts into an answer of a 2xx status (None: there is none);
    `read_allowance` finds the vendor's own count of our calls in an answer's headers; `login_expired` finds
    that an answer refuses the login, where the vendor does not answer 401.
    """

    def __init__(
        self,
        *,
        instance: str,
        base_url: str,
        auth: Auth | None = None,
        budget: Budget | None = None,
        breaker: Breaker | None = None,
        read_error: ReadError | None = None,
        read_success: ReadError | None = None,
        read_allowance: ReadAllowance | None = None,
        login_expired: Callable[[VendorAnswer], bool] | None = None,
        request_id_header: str = "",
        recorder: Recorder | None = None,
        headers: Mapping[str, str] | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.instance = instance
        self._auth: Auth = auth or NoAuth()
        self._budget = budget
        self._breaker = breaker or Breaker()
        self._read_error = read_error
        self._read_success = read_success
        self._read_allowance = read_allowance
        self._login_expired = login_expired or _is_unauthorized
        self._request_id_header = request_id_header
        self._recorder = recorder
        self._limits = limits or (budget.limits if budget else Limits())
        self._client = httpx.AsyncClient(
            base_url=base_url,
            headers=dict(headers or {}),
            timeout=self._limits.timeout_seconds,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=50, keepalive_expiry=15),
        )
        self._auth.attach(instance, self._post_form)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._auth.close()
        await self._client.aclose()

    async def send(
        self,
        method: str,
        path_or_url: str,
        *,
        template: str = "",
        params: Mapping[str, Any] | None = None,
        body: bytes | msgspec.Struct | Mapping[str, Any] | list[Any] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        effect: bool | None = None,
        repeatable: bool | None = None,
        ok: tuple[int, ...] = (),
        allowances: tuple[str, ...] = (),
    ) -> VendorAnswer:
        """The vendor's answer of a 2xx status or one in `ok`.

        `template` is the path without its ids. `effect` says whether the call changes anything there: by
        default the method decides, so a read that is sent as POST says `effect=False`. `allowances` are
        those of the instance from which this call takes beside the general one. Raises what
        `read_error` and `read_success` make of a refusal; VendorDoubtful when an effect may or may not have
        happened; VendorUnavailable when surely nothing did.
        """
        call = make_call(
            method,
            path_or_url,
            template=template,
            params=params,
            body=body,
            form=form,
            headers=headers,
            effect=effect,
            repeatable=repeatable,
            ok=ok,
            allowances=allowances,
        )
        return await self._persist(call, lambda: self._try(call))

    @asynccontextmanager
    async def stream(
        self, method: str, path_or_url: str, *, max_bytes: int = MAX_BYTES, **more: Any
    ) -> AsyncIterator[StreamedAnswer]:
        """A long answer to a read, for the length of the block; takes what `send` takes.

        Failures before the body are retried and raised as by `send`; one within it is for the caller, who has
        used a part of it. The call holds its share of the budget until the block ends.
        """
        call = make_call(method, path_or_url, **{**more, "effect": False})
        call.headers.update(ENCODINGS)
        async with AsyncExitStack() as stack:
            yield await self._persist(call, lambda: self._open(call, stack, max_bytes))

    async def _persist(self, call: Call, attempt_once: Callable[[], Awaitable[T]]) -> T:
        """Try until it succeeds, or until another attempt is unsafe, useless or too late."""
        attempt = 1
        while True:
            try:
                return await attempt_once()
            except VendorUnavailable as problem:
                pause = self._pause(call, problem, attempt)
                if pause is None:
                    raise
                await asyncio.sleep(pause)
                attempt += 1

    def _pause(self, call: Call, problem: VendorUnavailable, attempt: int) -> float | None:
        """Seconds until the next attempt; None when it would be unsafe, useless or too late."""
        if attempt >= self._limits.attempts:
            return None
        if isinstance(problem, VendorDoubtful) and not call.repeatable:
            return None
        # Full jitter: calls that failed together do not retry together.
        pause = random.uniform(0, min(_LONGEST_PAUSE, self._limits.backoff_seconds * 2**attempt))  # noqa: S311
        pause = max(pause, problem.retry_after or 0)
        deadline = context.current().deadline
        if pause > _LONGEST_PAUSE or (deadline is not None and time.monotonic() + pause >= deadline):
            return None
        return pause

    async def _try(self, call: Call) -> VendorAnswer:
        self._breaker.enter(self.instance)
        async with self._budget.turn(call.allowances) if self._budget else nullcontext(Turn()) as turn:
            used = await self._auth.login()
            answer, problem = await self._exchange(call, used, turn)
            if self._login_expired(answer) and await self._auth.renew(used):
                answer, problem = await self._exchange(call, await self._auth.login(), turn)
        if problem is not None:
            self._mark_login(answer, problem)
            raise problem
        return answer

    async def _open(self, call: Call, block: AsyncExitStack, max_bytes: int) -> StreamedAnswer:
        """A 2xx answer before its body; the block then holds what belongs to the call."""
        self._breaker.enter(self.instance)
        async with AsyncExitStack() as stack:
            turn = Turn()
            if self._budget:
                turn = await stack.enter_async_context(self._budget.turn(call.allowances))
            used = await self._auth.login()
            opened = await self._exchange_stream(call, used, turn, stack, max_bytes)
            if (
                isinstance(opened, VendorAnswer)
                and self._login_expired(opened)
                and await self._auth.renew(used)
            ):
                opened = await self._exchange_stream(call, await self._auth.login(), turn, stack, max_bytes)
            if isinstance(opened, VendorAnswer):
                problem = self._judge(call, opened) or opened.violation("a status without a body to read")
                self._mark_login(opened, problem)
                raise problem
            block.push_async_exit(stack.pop_all())
            return opened

    async def _exchange_stream(
        self, call: Call, login: Credentials, turn: Turn, stack: AsyncExitStack, max_bytes: int
    ) -> StreamedAnswer | VendorAnswer:
        """Send once; the answer itself where its status is no 2xx. Recorded once its body is read or left."""
        began, at = time.monotonic(), dt.datetime.now(dt.UTC)
        try:
            response = await self._send(call, login, stream=True)
        except Problem as error:
            if not _is_past_deadline():
                self._breaker.failed()
            self._record(call, None, error.code, at, time.monotonic() - began)
            raise
        head = self._answer(call, response, b"")
        self._note(head, turn)
        if response.is_success:
            opened = StreamedAnswer(head, response, max_bytes)
            stack.callback(lambda: self._record(call, head, opened.problem, at, time.monotonic() - began))
            stack.push_async_callback(response.aclose)
            return opened
        try:
            answer = self._answer(call, response, await _beginning(response))
        finally:
            await response.aclose()
        problem = self._judge(call, answer)
        self._record(call, answer, problem.code if problem else "", at, time.monotonic() - began)
        return answer

    async def _post_form(self, url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> VendorAnswer:
        """For the grants: an answer of any status."""
        # A lost login changes nothing, and what it was for was not sent.
        call = make_call("POST", url, template="token", form=form, headers=headers, effect=False)
        answer, _ = await self._exchange(call, Credentials(), Turn())
        return answer

    async def _exchange(
        self, call: Call, login: Credentials, turn: Turn
    ) -> tuple[VendorAnswer, Problem | None]:
        """Send once, judge and record."""
        began, at = time.monotonic(), dt.datetime.now(dt.UTC)
        answer: VendorAnswer | None = None
        outcome = "cancelled"
        try:
            answer = received = await self._roundtrip(call, login)
            problem = self._judge(call, received)
            outcome = problem.code if problem else ""
        except Problem as error:
            if not _is_past_deadline():  # a caller's short deadline is no failure of the vendor
                self._breaker.failed()
            outcome = error.code
            raise
        finally:
            self._record(call, answer, outcome, at, time.monotonic() - began)
        self._note(received, turn)
        return received, problem

    def _note(self, answer: VendorAnswer, turn: Turn) -> None:
        """Update breaker and allowance from an answer."""
        if answer.status >= httpx.codes.INTERNAL_SERVER_ERROR:
            self._breaker.failed()
        else:
            self._breaker.succeeded()
        if self._read_allowance:
            turn.reported = self._read_allowance(answer) or turn.reported

    async def _roundtrip(self, call: Call, login: Credentials) -> VendorAnswer:
        response = await self._send(call, login)
        return self._answer(call, response, response.content)

    async def _send(self, call: Call, login: Credentials, *, stream: bool = False) -> httpx.Response:
        sent = False

        async def watch(event: str, _: Mapping[str, Any]) -> None:
            nonlocal sent
            sent = sent or event.endswith("send_request_headers.started")

        request = self._request(call, login, watch)
        try:
            async with asyncio.timeout(_soonest(self._limits.timeout_seconds)):
                return await self._client.send(request, stream=stream)
        except (httpx.TransportError, TimeoutError) as error:
            raise self._lost(call, error, sent=sent) from None

    def _answer(self, call: Call, response: httpx.Response, body: bytes) -> VendorAnswer:
        return VendorAnswer(
            instance=self.instance,
            method=call.method,
            template=call.template,
            status=response.status_code,
            headers=response.headers,
            body=body,
            request_id=response.headers.get(self._request_id_header, "") if self._request_id_header else "",
        )

    def _request(self, call: Call, login: Credentials, watch: Callable[..., Any]) -> httpx.Request:
        """The request with the login in it."""
        # httpx would put `params` in the place of a query that a vendor's own link has.
        url = httpx.URL(call.url) if call.params is None else httpx.URL(call.url, params=call.params)
        return self._client.build_request(
            call.method,
            url.copy_merge_params(login.params) if login.params else url,
            content=login.body(call.content or b"") if login.body else call.content,
            headers={**call.headers, **login.headers},
            extensions={"trace": watch},
        )

    def _lost(self, call: Call, error: Exception, *, sent: bool) -> Problem:
        """No answer: whether anything happened there depends on whether the request left us."""
        why = (
            "not in time"
            if isinstance(error, TimeoutError | httpx.TimeoutException)
            else type(error).__name__
        )
        if sent and call.effect:
            return VendorDoubtful(
                f"{self.instance} did not answer ({why}); it may be done",
                instance=self.instance,
            )
        said = f"{self.instance} did not answer ({why})"
        if _is_past_deadline():  # ours, not the vendor's fault; and surely nothing was done
            return DeadlineExceeded(said, extra={"instance": self.instance})
        return VendorUnavailable(said, instance=self.instance, nothing_done=not sent)

    def _judge(self, call: Call, answer: VendorAnswer) -> Problem | None:
        if answer.status in call.ok:
            return None
        if httpx.codes.is_success(answer.status):
            problem = self._read_success(answer) if self._read_success else None
            if isinstance(problem, VendorUnavailable):
                problem.retry_after = problem.retry_after or retry_after(answer.headers)
            return problem
        problem = (self._read_error(answer) if self._read_error else None) or by_status(answer)
        if isinstance(problem, VendorUnavailable):
            # A gateway before the vendor may answer so after the effect, unless the adapter knows better.
            late = answer.status >= httpx.codes.INTERNAL_SERVER_ERROR
            if late and call.effect and not problem.nothing_done:
                problem = VendorDoubtful(
                    problem.detail, instance=self.instance, vendor_request_id=answer.request_id
                )
            problem.retry_after = problem.retry_after or retry_after(answer.headers)
        return problem

    def _mark_login(self, answer: VendorAnswer, problem: Problem) -> None:
        """A login that is refused after it was renewed is refused to every call of the instance."""
        if self._login_expired(answer):
            problem.extra[LOGIN_FAILED] = True

    def _record(
        self, call: Call, answer: VendorAnswer | None, outcome: str, at: dt.datetime, seconds: float
    ) -> None:
        if self._recorder is None:
            return
        work = context.current()
        self._recorder.record(
            VendorCall(
                at=at,
                correlation_id=work.correlation_id,
                workflow_id=work.workflow_id,
                step=work.step,
                instance=self.instance,
                lane=work.lane,
                method=call.method,
                template=call.template,
                status=answer.status if answer else None,
                problem=outcome,
                vendor_request_id=answer.request_id if answer else "",
                seconds=seconds,
            )
        )


async def _beginning(response: httpx.Response) -> bytes:
    """As much of a refusal as is read: enough for a vendor's error document."""
    body = b""
    with suppress(httpx.HTTPError):
        async for part in response.aiter_bytes(_REFUSAL_BYTES):
            body += part
            if len(body) >= _REFUSAL_BYTES:
                break
    return body


def _is_unauthorized(answer: VendorAnswer) -> bool:
    return answer.status == httpx.codes.UNAUTHORIZED


def _soonest(timeout: float) -> float:
    """Seconds to wait: the client's own, or what the caller has left."""
    deadline = context.current().deadline
    return timeout if deadline is None else min(timeout, deadline - time.monotonic())


def _is_past_deadline() -> bool:
    deadline = context.current().deadline
    return deadline is not None and time.monotonic() >= deadline

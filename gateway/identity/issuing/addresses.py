"""The embedded issuer's addresses: tokens, sign-in, keys and metadata, as steps of the gateway."""

import asyncio

from gateway.exchange import Exchange, PipelineStep, Reply, json_reply
from gateway.identity import revocation
from gateway.identity.dpop import Proofs
from gateway.identity.issuing.assertions import Assertions
from gateway.identity.issuing.codes import Codes
from gateway.identity.issuing.issuer import LIFETIME_SECONDS, DevelopmentIssuer
from gateway.identity.issuing.metadata import (
    AUTHORIZE_PATH,
    JWKS_PATH,
    REVOCATION_PATH,
    TOKEN_PATH,
    metadata,
    well_known,
)
from gateway.identity.issuing.server import Server
from gateway.identity.issuing.sign_in import SignIn
from gateway.identity.issuing.token_endpoint import Revoke, TokenEndpoint
from kit.database import Database

_DAY_SECONDS = 86_400
_SHOWN = (b"cache-control", b"public, max-age=300")


class Issuing:
    """The endpoints of the embedded issuer.

    Codes, used assertions and revocations are stored in the database, which all processes share; without one
    there is neither sign-in nor private_key_jwt nor revocation. Keys are rotated after `key_days`.
    """

    def __init__(
        self,
        issuer: DevelopmentIssuer,
        database: Database | None,
        proofs: Proofs,
        *,
        key_days: int,
    ) -> None:
        self._issuer = issuer
        self._rotate_after = key_days * _DAY_SECONDS
        self._metadata = metadata(issuer.issuer, issuer.scopes, for_people=database is not None)
        server = Server(issuer, for_people=database is not None)
        codes = asserted = revoke = self._sign_in = None
        if database is not None:
            codes = Codes(database, remember=LIFETIME_SECONDS)
            audiences = (issuer.issuer, issuer.issuer + TOKEN_PATH)
            asserted = Assertions(issuer, audiences, database)
            revoke = self._revoker(database)
            self._sign_in = SignIn(issuer, server, codes, AUTHORIZE_PATH)
        self._tokens = TokenEndpoint(server, proofs, codes, asserted, revoke)

    def steps(self) -> dict[tuple[str, str], PipelineStep]:
        """Every address of the issuer by method and path."""
        name = "oauth-authorization-server"
        metadata_path, _ = well_known(name, self._issuer.issuer)
        steps: dict[tuple[str, str], PipelineStep] = {
            ("POST", TOKEN_PATH): self._answer_token,
            ("GET", JWKS_PATH): self._answer_jwks,
            ("GET", metadata_path): self._answer_metadata,
            ("GET", f"/.well-known/{name}"): self._answer_metadata,
        }
        if self._sign_in is not None:
            steps["GET", AUTHORIZE_PATH] = self._sign_in.show
            steps["POST", AUTHORIZE_PATH] = self._sign_in.decide
            steps["POST", REVOCATION_PATH] = self._tokens.take_back
        return steps

    def _revoker(self, database: Database) -> Revoke:
        async def revoke(token_id: str, by: str, reason: str) -> None:
            async with database.begin() as connection:
                await revocation.revoke(
                    connection,
                    kind="token",
                    name=token_id,
                    issuer=self._issuer.issuer,
                    by=by,
                    reason=reason,
                    longest_seconds=LIFETIME_SECONDS,
                )

        return revoke

    async def _answer_token(self, exchange: Exchange) -> Reply:
        await self._renew()
        return await self._tokens.give(exchange)

    async def _answer_jwks(self, _: Exchange) -> Reply:
        await self._renew()
        return json_reply(200, self._issuer.jwks(), _SHOWN)

    async def _answer_metadata(self, _: Exchange) -> Reply:
        return json_reply(200, self._metadata, _SHOWN)

    async def _renew(self) -> None:
        """Rotate the keys when the current one is old."""
        keyring = self._issuer.keyring
        if keyring.age() > self._rotate_after:
            await asyncio.to_thread(keyring.rotate, older_than=self._rotate_after)

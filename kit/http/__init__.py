"""Outbound HTTP: the only place of the deployment that talks to a vendor's server."""

from kit.http.answer import VendorAnswer
from kit.http.auth import LOGIN_FAILED, ClientAssertion, ClientCredentials, Grant, JwtBearer
from kit.http.breaker import Breaker
from kit.http.budget import Budget, Counters
from kit.http.call import by_status
from kit.http.limits import AllowanceLimits, Limits
from kit.http.login import ApiKeyLogin, Auth, Basic, Bearer, Credentials, InBody, NoAuth
from kit.http.outbound import Outbound
from kit.http.recorder import Recorder, VendorCall
from kit.http.refresh import RefreshToken
from kit.http.slots import Slots
from kit.http.streaming import StreamedAnswer
from kit.http.transient import says_transient

__all__ = [
    "LOGIN_FAILED",
    "AllowanceLimits",
    "ApiKeyLogin",
    "Auth",
    "Basic",
    "Bearer",
    "Breaker",
    "Budget",
    "ClientAssertion",
    "ClientCredentials",
    "Counters",
    "Credentials",
    "Grant",
    "InBody",
    "JwtBearer",
    "Limits",
    "NoAuth",
    "Outbound",
    "Recorder",
    "RefreshToken",
    "Slots",
    "StreamedAnswer",
    "VendorAnswer",
    "VendorCall",
    "by_status",
    "says_transient",
]

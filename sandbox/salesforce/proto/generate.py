"""The Salesforce stand-in's generator of gRPC code; run it after a change of pubsub_api.proto."""

from pathlib import Path

from grpc_tools import protoc

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
KINDS = ("python", "pyi", "grpc_python")


def main() -> None:
    """Generate the stubs, in a descriptor pool of their own.

    A client in the same process (a test, the embedded mode) registers the same vendor messages in
    protobuf's default pool; two files with the same symbols would collide there.
    """
    proto = HERE / "pubsub_api.proto"
    arguments = ["protoc", f"-I{ROOT}", *(f"--{kind}_out={ROOT}" for kind in KINDS), str(proto)]
    if protoc.main(arguments) != 0:
        raise SystemExit("protoc refused pubsub_api.proto")
    generated = HERE / "pubsub_api_pb2.py"
    text = generated.read_text()
    generated.write_text(text.replace("_descriptor_pool.Default()", "_descriptor_pool.DescriptorPool()"))


if __name__ == "__main__":
    main()

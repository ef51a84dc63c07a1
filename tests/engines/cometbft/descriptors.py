"""CometBFT's own descriptors of its messages, for Google's protobuf library.

`python -m tests.engines.cometbft.descriptors` takes them out of the Go sources that
`make setup-cometbft` has built, where the compiled program has them from too, and writes
`descriptors.json`. Options are left out: they say how Go code looks, not bytes.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any, Final

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    duration_pb2,
    json_format,
    message_factory,
    timestamp_pb2,
)

from tools.cometbft import TOOLS, VERSION

KEPT: Final = Path(__file__).with_name("descriptors.json")
MODULE: Final = f"github.com/cometbft/cometbft@v{VERSION}"
SOURCES: Final = (
    "proto/tendermint/crypto/keys.pb.go",
    "proto/tendermint/crypto/proof.pb.go",
    "proto/tendermint/types/params.pb.go",
    "proto/tendermint/types/validator.pb.go",
    "proto/tendermint/version/types.pb.go",
    "proto/tendermint/types/types.pb.go",
    "proto/tendermint/types/canonical.pb.go",
    "abci/types/types.pb.go",
)
"""Each after those that it needs."""
BYTES: Final = re.compile(r"var fileDescriptor_\w+ = \[\]byte\{(.*?)\n\}", re.DOTALL)


def go_module() -> Path | None:
    """The folder of the Go sources, where they have been built; else None."""
    own = TOOLS / "go" / "bin" / "go"
    go = str(own) if own.is_file() else "go"
    try:
        said = subprocess.run([go, "env", "GOMODCACHE"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    folder = Path(said.stdout.strip()) / MODULE
    return folder if folder.is_dir() else None


def read_go(module: Path) -> list[dict[str, Any]]:
    """The descriptors that the Go sources carry, without options, as JSON."""
    return [plain(module / source) for source in SOURCES]


def plain(source: Path) -> dict[str, Any]:
    """One file's descriptor as JSON."""
    found = BYTES.search(source.read_text())
    assert found is not None
    packed = bytes(int(byte, 16) for byte in re.findall(r"0x([0-9a-f]{2})", found[1]))
    file = descriptor_pb2.FileDescriptorProto.FromString(gzip.decompress(packed))
    file.ClearField("options")
    file.ClearField("service")
    needed = [name for name in file.dependency if not name.startswith("gogoproto/")]
    del file.dependency[:]
    file.dependency.extend(needed)
    for message in file.message_type:
        without_options(message)
    for enum in file.enum_type:
        enum.ClearField("options")
        for value in enum.value:
            value.ClearField("options")
    content: dict[str, Any] = json_format.MessageToDict(file)
    return content


def without_options(message: Any) -> None:
    """Leave out what only tells Go how to look."""
    message.ClearField("options")
    for field in message.field:
        field.ClearField("options")
    for inner in message.nested_type:
        without_options(inner)


@cache
def pool() -> Any:
    """All of it, ready for use."""
    files = descriptor_pool.DescriptorPool()
    for standard in (timestamp_pb2, duration_pb2):
        files.AddSerializedFile(standard.DESCRIPTOR.serialized_pb)
    for content in json.loads(KEPT.read_text()):
        file = json_format.ParseDict(content, descriptor_pb2.FileDescriptorProto())
        files.AddSerializedFile(file.SerializeToString())
    return files


@cache
def google_class(full_name: str) -> Any:
    """Google's class of a message, such as `tendermint.abci.Request`."""
    return message_factory.GetMessageClass(pool().FindMessageTypeByName(full_name))


def main() -> int:
    """Write the descriptors; 1 where there are no sources."""
    module = go_module()
    if module is None:
        print(f"descriptors: FAILED: {MODULE} is not here: make setup-cometbft")
        return 1
    KEPT.write_text(json.dumps(read_go(module), indent=1) + "\n")
    print(f"descriptors: {KEPT.name} is written out of {MODULE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

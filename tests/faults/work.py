"""The stand-in's stages: deterministic outputs of inputs, each half-written for a while.

work.py NAME SECONDS --from INPUT… --to OUTPUT…    a path that ends with / is a folder of three files
"""

import hashlib
import sys
import time
from pathlib import Path


def content(path: Path) -> bytes:
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    return b"".join(str(file).encode() + file.read_bytes() for file in files)


def write(path: Path, text: str, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as file:
        for half in (text[:32], text[32:]):
            file.write(half)
            file.flush()
            time.sleep(seconds / 2)


name, seconds, *words = sys.argv[1:]
inputs, outputs = words[1 : words.index("--to")], words[words.index("--to") + 1 :]
print(f"{name} works", flush=True)
digest = hashlib.sha256(name.encode() + b"".join(content(Path(path)) for path in inputs)).hexdigest()
files = [file for out in outputs for file in ([out + part for part in "abc"] if out.endswith("/") else [out])]
for file in files:
    write(Path(file), digest + "\n", float(seconds) / len(files))
if name == "register":  # outside DVC: a version for each digest, numbered
    registry = Path("registry")
    registry.mkdir(exist_ok=True)
    entry = registry / digest
    if not entry.exists():
        (registry / "partial").write_text(str(len(list(registry.glob("?" * 64)))))
        (registry / "partial").rename(entry)
    (registry / "challenger").write_text(digest)

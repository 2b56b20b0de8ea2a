"""Converts a random checkpoint of MiniCPM-duplex's real shape and prints time and memory, beside plain copies of it.

    python -m benchmarks.convert_real_shape FOLDER --tokenizer DIR [--keep]

Needs some 20 GB in FOLDER and DIR with the real config.json and tokenizer files. `--keep` leaves the Q4_K_M file there.
The last line is JSON. Knows nothing of how the conversion works: it runs `edge-convert` as a user does and watches the
process from outside (memory on Linux only).
"""

from __future__ import annotations

import argparse
import json
import math
import os
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from convert.minicpm import EMBEDDING, OUTPUT, PlannedTensor, read_config
from tests.convert.torch_zip import Tensor, write_torch_zip

if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 1 << 22  # weights generated at a time
_SETTINGS = ("config.json", "tokenizer.model", "tokenizer_config.json", "added_tokens.json")
_SAMPLE_SECONDS = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--tokenizer", type=Path, required=True)
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    print(json.dumps(measure(options.folder, options.tokenizer, keep=options.keep)))


def measure(folder: Path, tokenizer: Path, *, keep: bool) -> dict[str, Any]:
    """Makes the checkpoint, copies it, converts it to BF16 and Q4_K_M; seconds, bytes and MiB for each."""
    model = folder / "model"
    model.mkdir(parents=True, exist_ok=True)
    for name in _SETTINGS:
        shutil.copyfile(tokenizer / name, model / name)
    checkpoint = model / "pytorch_model.bin"
    if not checkpoint.exists():
        _write_checkpoint(checkpoint, json.loads((model / "config.json").read_text(encoding="utf-8")))

    copies = [_copy(checkpoint, folder / "copy.bin") for _ in range(3)]
    results: dict[str, Any] = {"checkpoint_bytes": checkpoint.stat().st_size, "three_copies_s": round(sum(copies), 1)}
    print(
        f"checkpoint {results['checkpoint_bytes']:,} bytes; copied in {sum(copies):.1f} s, three times", file=sys.stderr
    )
    for quant in ("bf16", "q4_k_m"):
        out = folder / f"real-{quant}.gguf"
        results[quant] = measure_conversion(str(model), quant, out)
        if not (keep and quant == "q4_k_m"):
            out.unlink()
    if not keep:
        shutil.rmtree(model)
    return results


def _write_checkpoint(path: Path, config: dict[str, Any]) -> None:
    """Random bfloat16 weights, the output matrix tied to the embedding as `torch.save` writes it (one storage)."""
    plan = read_config(config, "config.json").tensors()
    tensors = {
        tensor.source: Tensor("bf16", tensor.shape, str(number), math.prod(tensor.shape))
        for number, tensor in enumerate(plan)
    }
    tensors[OUTPUT] = tensors[EMBEDDING]
    random = np.random.default_rng(0)
    partial = path.with_suffix(".partial")
    write_torch_zip(partial, tensors, {str(number): _weights(random, tensor) for number, tensor in enumerate(plan)})
    partial.replace(path)


def _weights(random: np.random.Generator, tensor: PlannedTensor) -> Iterator[bytes]:
    size = math.prod(tensor.shape)
    for start in range(0, size, _PIECE):
        count = min(_PIECE, size - start)
        if len(tensor.shape) == 1:
            values = np.ones(count, np.float32)
        else:
            values = random.standard_normal(count, np.float32) * np.float32(0.02)
        yield (values.view(np.uint32) >> np.uint32(16)).astype("<u2").tobytes()


def _copy(source: Path, target: Path) -> float:
    """Seconds for `cp` and for the copy to be on the disk, which is what a conversion waits for as well."""
    begin = time.monotonic()
    subprocess.run(["cp", str(source), str(target)], check=True)
    descriptor = os.open(target, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    seconds = time.monotonic() - begin
    target.unlink()
    return seconds


def measure_conversion(model: str, quant: str, out: Path) -> dict[str, Any]:
    """Runs `edge-convert` and watches it: seconds, bytes of the file, peaks of memory beside mapped files in MiB."""
    command = [sys.executable, "-c", "from convert.cli import main; main()", model, "--quant", quant]
    begin = time.monotonic()
    quiet = subprocess.DEVNULL
    with subprocess.Popen([*command, "--out", str(out), "--force"], stdout=quiet, stderr=quiet) as process:
        peaks = {"converter": 0, "llama": 0}
        watcher = threading.Thread(target=_watch, args=(process, peaks))
        watcher.start()
        code = process.wait()
        watcher.join()
    if code != 0:
        raise SystemExit(f"the conversion to {quant} ended with exit code {code}")
    return {
        "seconds": round(time.monotonic() - begin, 2),
        "bytes": out.stat().st_size,
        "converter_anonymous_mib": peaks["converter"] >> 20,
        "llama_anonymous_mib": peaks["llama"] >> 20,
    }


def _watch(process: subprocess.Popen[bytes], peaks: dict[str, int]) -> None:
    """Samples what the converter and its child hold beside mapped files (RssAnon)."""
    while process.poll() is None:
        for pid in _family(process.pid):
            name = "converter" if pid == process.pid else "llama"
            peaks[name] = max(peaks[name], _anonymous(pid))
        time.sleep(_SAMPLE_SECONDS)


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return [pid]
    return [pid, *map(int, children.split())]


def _anonymous(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith("RssAnon:")), 0)


if __name__ == "__main__":
    main()

"""Trains the pocket model from nothing, on conversations drawn while it trains.

Knows the model and the rows; everything else is elsewhere. `--resume` goes on from the last checkpoint as if there had
been no break: row `i` depends on the seed and on `i` alone. At the end it writes the Hugging Face style checkpoint.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import asdict
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any, Final

import probe
import torch
import torch.nn.functional as f
from dialogues import row
from model import Config, PocketModel
from safetensors.torch import save
from slices import BOS, EOS, HERE, DuplexTokenizer
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS: Final = HERE / "runs"
CHECKPOINT_SECONDS: Final = 180.0
PADDED_TO: Final = 512
IGNORED: Final = -100
SHORT_ROW, LONG_ROW = 512, 1024
SHORT_SHARE: Final = 0.65


class Optimizer:
    """Muon for the matrices inside the layers, AdamW for the embedding and the norms; one learning rate for both."""

    def __init__(self, model: PocketModel, weight_decay: float) -> None:
        matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
        others = [p for name, p in model.named_parameters() if p.ndim != 2 or "embed" in name]
        self.parts: tuple[torch.optim.Optimizer, ...] = (
            torch.optim.Muon(matrices, lr=1.0, weight_decay=weight_decay, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=1.0, betas=(0.9, 0.95), weight_decay=0.0),
        )

    def step(self, learning_rate: float) -> None:
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = learning_rate
            part.step()
            part.zero_grad(set_to_none=True)

    def state_dict(self) -> list[Any]:
        return [part.state_dict() for part in self.parts]

    def load_state_dict(self, states: list[Any]) -> None:
        for part, state in zip(self.parts, states, strict=True):
            part.load_state_dict(state)


def learning_rate(step: int, steps: int, peak: float, warmup: int = 60, decay: float = 0.36) -> float:
    """Warm up, stay, and fall to nothing over the last `decay` of the steps."""
    start = steps * (1 - decay)
    falling = max(0.0, (step - start) / (steps - start))
    return peak * min(1.0, (step + 1) / warmup) * (1 - falling)


def row_length(step: int, steps: int) -> int:
    """Tokens of a row: attention costs less in short ones, and the last third gets used to the whole context."""
    return SHORT_ROW if step < steps * SHORT_SHARE else LONG_ROW


def batch(seed: int, step: int, steps: int, size: int, tokenizer: DuplexTokenizer) -> tuple[Tensor, Tensor]:
    """Tokens (rows, length + 1) and which of them are learned, for one step of `size` tokens."""
    length = row_length(step, steps)
    count = size // length
    rows = [row(seed, step * count + i, tokenizer, length + 1) for i in range(count)]
    return torch.tensor([tokens for tokens, _ in rows]), torch.tensor([targets for _, targets in rows])


def loss_of(model: PocketModel, forward: Callable[[Tensor], Tensor], tokens: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy over the assistant's tokens; `forward` is `model.hidden`, compiled or not.

    How many tokens that are differs from step to step. They are padded to one of few counts, since the matrix library
    keeps memory for every shape that it has seen.
    """
    places = targets[:, 1:].flatten().nonzero().squeeze(1)
    labels = tokens[:, 1:].flatten()[places]
    padding = -len(places) % PADDED_TO
    places, labels = f.pad(places, (0, padding)), f.pad(labels, (0, padding), value=IGNORED)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        hidden = forward(tokens[:, :-1]).flatten(0, 1)[places]
        logits = model.logits(hidden)
    return f.cross_entropy(logits.float(), labels, ignore_index=IGNORED)


def export(model: PocketModel, folder: Path) -> None:
    """Write `config.json`, `generation_config.json` and bfloat16 `model.safetensors` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    config = model.config
    content = {
        "architectures": ["MiniCPMForCausalLM"],
        "bos_token_id": BOS,
        "eos_token_id": EOS,
        "hidden_act": "silu",
        "initializer_range": 0.05,
        "model_type": "minicpm",
        **asdict(config),
        "num_key_value_heads": config.num_attention_heads,
        "rope_scaling": None,
        "tie_word_embeddings": True,
        "torch_dtype": "bfloat16",
        "use_cache": True,
    }
    generation = {"bos_token_id": BOS, "do_sample": True, "eos_token_id": EOS, "temperature": 0.8, "top_p": 0.8}
    for name, values in (("config.json", content), ("generation_config.json", generation)):
        (folder / name).write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")
    tensors = {name: value.detach().to(torch.bfloat16).contiguous() for name, value in model.state_dict().items()}
    (folder / "model.safetensors").write_bytes(save(tensors, metadata={"format": "pt"}))


def write_checkpoint(path: Path, content: dict[str, Any]) -> None:
    """Write a training checkpoint so that a break never leaves half of one."""
    temporary = path.with_suffix(".part")
    torch.save(content, temporary)
    temporary.replace(path)


def positive(text: str) -> int:
    """A whole number from the command line, 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} cannot be used: give 1 or more")
    return value


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Train the pocket model; two to three hours on two cores.")
    parser.add_argument("--out", type=Path, default=HERE, help="where the finished checkpoint goes")
    parser.add_argument("--run", type=Path, default=RUNS / "main", help="where progress is kept")
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --run")
    parser.add_argument("--steps", type=positive, default=7000, help="steps in all, those before --resume included")
    parser.add_argument("--batch", type=positive, default=8192, help=f"tokens in a step, {LONG_ROW} or more")
    parser.add_argument("--lr", type=float, default=3e-3, help="the highest learning rate")
    parser.add_argument("--weight-decay", type=float, default=0.05)
    parser.add_argument("--seed", type=int, default=1, help="of the weights at first, and of the conversations")
    parser.add_argument("--threads", type=positive, default=2)
    parser.add_argument("--eager", action="store_true", help="do not compile the model (slower; needs no C++ compiler)")
    parser.add_argument(
        "--probe-every", type=positive, default=1200, help="steps between two looks at held-out requests"
    )
    options = parser.parse_args(argv)
    if options.batch < LONG_ROW:
        parser.error(f"--batch {options.batch} cannot be used: a row alone has up to {LONG_ROW} tokens")
    return options


def fail(message: str) -> int:
    """Say in one line why nothing can be done; the exit code for bad input."""
    print(f"train: {message}", file=sys.stderr)
    return 2


def main() -> int:
    options = parse()
    if not hasattr(torch.optim, "Muon"):
        return fail(f"PyTorch {torch.__version__} has no Muon optimizer: install torch 2.9 or newer")
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.run.mkdir(parents=True, exist_ok=True)
    last = options.run / "last.pt"
    tokenizer = DuplexTokenizer()
    model = PocketModel(Config(vocab_size=tokenizer.vocab_size))
    optimizer = Optimizer(model, options.weight_decay)
    first_step, seconds = 0, 0.0
    if options.resume:
        if not last.exists():
            return fail(f"{last} is not there, so there is nothing to resume: leave --resume out to start")
        try:
            state = torch.load(last, weights_only=True)
            model.load_state_dict(state["model"])
            optimizer.load_state_dict(state["optimizer"])
            first_step, seconds = state["step"], state["seconds"]
        except (RuntimeError, KeyError, ValueError, UnpicklingError):
            return fail(f"{last} is no checkpoint of this model: leave --resume out to start over")
        if first_step > options.steps:
            return fail(f"{last} has seen {first_step} steps: give --steps {first_step} or more")
    forward = model.hidden if options.eager else torch.compile(model.hidden, dynamic=False)
    count = sum(p.numel() for p in model.parameters())
    print(
        f"{count / 1e6:.2f} M parameters, steps {first_step} to {options.steps}, {options.threads} threads", flush=True
    )

    def checkpoint(step: int) -> None:
        write_checkpoint(
            last,
            {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "seconds": seconds},
        )
        export(model, options.run / "export")

    began = saved = time.monotonic()
    smooth = math.nan
    for step in range(first_step, options.steps):
        tokens, targets = batch(options.seed, step, options.steps, options.batch, tokenizer)
        loss = loss_of(model, forward, tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step(learning_rate(step, options.steps, options.lr))
        value = float(loss.detach())
        smooth = value if math.isnan(smooth) else 0.97 * smooth + 0.03 * value
        now = time.monotonic()
        done = step + 1
        if done % 20 == 0:
            pace = (now - began) / (done - first_step)
            speed = tokens.numel() / pace
            left = (options.steps - done) * pace / 60
            print(f"step {done} loss {smooth:.4f} {speed:.0f} tokens/s, {left:.0f} min left", flush=True)
        if done % options.probe_every == 0:
            print(f"  step {done} held out: {probe.report(model, tokenizer)}", flush=True)
        if now - saved > CHECKPOINT_SECONDS:
            seconds += now - saved
            saved = now
            checkpoint(done)
    seconds += time.monotonic() - saved
    checkpoint(options.steps)
    export(model, options.out)
    print(f"trained in {seconds / 60:.0f} minutes; {options.out / 'model.safetensors'} is written")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("train: stopped; --resume goes on from the last checkpoint", file=sys.stderr)
        sys.exit(130)

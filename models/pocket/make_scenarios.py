"""Writes the pocket model's scenario set and duplex transcripts, from the side of the generator that is held out.

Knows the generator and the two file formats; knows no model. The same sources give the same files.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Final

import questions
import yaml
from conversation import RUNS_ON_SILENCE, Conversation
from dialogues import draw
from references import RELATIONS
from slices import HERE, DuplexTokenizer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lists import Phrasings
    from questions import Ask

ROOT: Final = HERE.parents[1]
SCENARIOS: Final = ROOT / "clients" / "scenarios" / "pocket.yaml"
TRANSCRIPTS: Final = ROOT / "convert" / "data" / "pocket.jsonl"
EACH: Final = 48  # conversations of a category, every fourth in Chinese
TRANSCRIPT_COUNT: Final = 240
LEAST: Final = 5  # slices of a message that is to be interrupted
HEAD: Final = """\
# Conversations in what the pocket model knows, in phrasings that it was not trained on; models/pocket/make_scenarios.py
# writes this file. Answers are compared word for word.
"""
Step = dict[str, Any]


class Script(Conversation):
    """One scenario as it is written: what the user says, and what is right."""

    def __init__(self, rng: Random, tokenizer: DuplexTokenizer, language: str) -> None:
        super().__init__(rng, tokenizer, held_out=True, languages=(language,))
        self.steps: list[Step] = []
        self.going_on = 0
        """Slices that the message which is being told has left."""

    def request(self, ask: Ask, kind: str, opening: str = "", *, slices: int | None = None) -> None:
        """A request in one or more slices; `slices`: how many are listened to, by default all."""
        before = len(self.pairs)
        last = self.ask(ask, opening)
        self.steps += [{"say": pair.said, "as": "unfinished"} for pair in self.pairs[before:]]
        message = self.tokenizer.message(ask.answer)
        step: Step = {"say": last, "as": kind}
        if slices is not None:
            step["slices"] = slices
        self.steps.append({**step, "answer": {"text": ask.answer}})
        self.reply(last, message)
        self.remember(ask)
        self.going_on = 0 if slices is None else len(message) - slices

    def short(self, kind: str | None = None) -> Ask:
        """A request with a short answer that is one and known."""
        short = [one for one in questions.short_kinds(self.language) if one != "joke"]
        while True:
            name = kind or self.rng.choice(short)
            ask = questions.ask_of_kind(self.rng, name, held_out=True, language=self.language)
            if len(self.tokenizer.message(ask.answer)) <= 2:
                return ask

    def question(self, kind: str | None = None) -> None:
        self.request(self.short(kind), "question")

    def say_as(self, phrasings: Phrasings, kind: str, **more: Any) -> None:
        self.steps.append({"say": self.say(phrasings), "as": kind, **more})

    def silent(self, least: int, most: int) -> None:
        self.steps.append({"silent": self.rng.randint(least, most)})

    def tell(self, kind: str = "question", opening: str = "") -> None:
        """Ask for a piece, and listen to a part of it."""
        pieces = [p for p in questions.pieces(self.language) if len(self.tokenizer.message(p.text)) > LEAST]
        piece = self.rng.choice(pieces)
        ask = questions.piece_ask(self.rng, piece, held_out=True, language=self.language)
        most = len(self.tokenizer.message(ask.answer)) - LEAST + 1
        self.piece = piece
        self.request(ask, kind, opening, slices=self.rng.randint(1, max(1, min(5, most))))

    def noise(self) -> str:
        """A back-channel or junk that is met with the next two slices of the piece."""
        said = super().noise()
        self.steps.append({"say": said, "as": "noise", "slices": 2})
        self.going_on -= 2
        return said

    def perhaps_noise(self, share: float = 0.8) -> None:
        """Only where the piece has enough left for what comes after it."""
        if self.going_on >= 4 and self.rng.random() < share:
            self.noise()

    def noise_in_silence(self) -> None:
        said = super().noise()
        self.steps.append({"say": said, "as": "noise"})

    def interrupt(self, ask: Ask | None = None, *, reset: bool = False) -> None:
        self.request(ask or self.short(), "interruption", self.choose(self.sayings.resets) if reset else "")

    def stop(self) -> None:
        self.say_as(self.sayings.stops, "stop")
        self.silent(1, 3)
        self.going_on = 0

    def aside(self) -> None:
        """A short question in between; the piece goes on after its answer and a sentence that says so."""
        while True:
            ask = self.short()
            message = self.tokenizer.message(ask.answer)
            if len(message) == 1 and len(message[0]) >= RUNS_ON_SILENCE:
                break
        left = self.going_on
        self.request(ask, "aside", self.choose(self.sayings.asides), slices=3)
        self.going_on = left - 1


def basic(script: Script) -> None:
    """Questions and answers: references, names, what it does not know, words that ask for nothing."""
    rng = script.rng
    script.question()
    what = rng.choice(("chain", "chain", "name", "unknown", "given_up"))
    if what == "chain":
        script.request(
            script.country_ask(rng.choice(RELATIONS), rng.choice(questions.countries(script.language))), "question"
        )
        for _ in range(rng.randint(1, 3)):
            assert script.about is not None
            script.request(script.reference(script.about), "question")
    elif what == "name":
        script.request(script.name_told(), "question")
        script.question()
        script.request(script.name_asked(), "question")
    elif what == "unknown":
        script.question("unknown" if "unknown" in questions.kinds(script.language) else None)
    else:
        before = len(script.pairs)
        if script.begin(script.short()):
            script.steps.append({"say": script.pairs[before].said, "as": "unfinished"})
            script.silent(1, 2)
        script.question()
    if rng.random() < 0.6:
        script.noise_in_silence()
    script.silent(1, 3)
    script.question()


def interweaving(script: Script) -> None:
    """One topic after the other, begun while another is still talked about."""
    script.tell()
    script.perhaps_noise()
    country = script.rng.choice(questions.countries(script.language))
    script.interrupt(script.country_ask(script.rng.choice(RELATIONS), country))
    assert script.about is not None
    script.request(script.reference(script.about), "question")
    if script.rng.random() < 0.5:
        script.noise_in_silence()
    script.tell()
    script.perhaps_noise()
    script.interrupt()
    script.silent(1, 3)
    script.question()


def termination(script: Script) -> None:
    """It is told to stop, and stays silent, until it is told to go on or asked something else."""
    for again in (False, True):
        script.tell()
        script.perhaps_noise()
        left = script.going_on
        script.stop()
        if script.rng.random() < 0.4:
            script.noise_in_silence()
        if left >= 3 and script.rng.random() < (0.85 if again else 0.6):
            script.say_as(script.sayings.go_on, "resume")
            script.going_on = left - 2
            if script.going_on >= 2:
                script.stop()
    script.question()
    script.silent(1, 2)


def regeneration(script: Script) -> None:
    """Another piece was meant than the one that it tells."""
    for _ in range(2):
        script.tell()
        script.perhaps_noise()
        wanted = [p for p in questions.pieces(script.language) if p.form == script.piece.form and p is not script.piece]
        if not wanted:
            script.interrupt()
            continue
        piece = script.rng.choice(wanted)
        template = script.choose(script.sayings.corrections)
        said = template.format(t=questions.piece_topic(script.rng, piece)).replace("|", "")
        count = len(script.tokenizer.message(piece.text))
        slices = script.rng.randint(2, max(2, min(4, count - 3)))
        step = {"say": script.style.write(said, script.language), "as": "interruption", "slices": slices}
        script.steps.append({**step, "answer": {"text": piece.text}})
        script.going_on = count - slices
        script.perhaps_noise(0.5)
        if script.rng.random() < 0.6:
            script.stop()
        else:
            script.interrupt()
    script.question()
    script.silent(1, 2)


def reset(script: Script) -> None:
    """It is asked something else in the middle of a piece, and does not come back to it."""
    for _ in range(2):
        script.tell()
        script.perhaps_noise()
        script.interrupt(reset=script.rng.random() < 0.6)
        script.silent(2, 3)
    if script.rng.random() < 0.5:
        script.noise_in_silence()
    script.question()


def back_on_topic(script: Script) -> None:
    """It is asked something in between, and goes on with the piece where it was."""
    for _ in range(2):
        script.tell()
        script.perhaps_noise(0.5)
        script.aside()
        script.perhaps_noise(0.4)
        if script.rng.random() < 0.3:
            script.stop()
        else:
            script.interrupt(reset=True)
            script.silent(1, 2)
    script.question()


CATEGORIES: Final[dict[str, Callable[[Script], None]]] = {
    "basic": basic,
    "interweaving": interweaving,
    "termination": termination,
    "regeneration": regeneration,
    "reset": reset,
    "back_on_topic": back_on_topic,
}


def scenarios(tokenizer: DuplexTokenizer) -> Iterator[dict[str, Any]]:
    """Every scenario, as it stands in the file."""
    for category, write in CATEGORIES.items():
        for number in range(1, EACH + 1):
            language = "zh" if number % 4 == 0 else "en"
            script = Script(Random(f"scenarios/{category}/{number}"), tokenizer, language)
            write(script)
            name = category.replace("_", "-")
            yield {"id": f"{name}-{number:03}", "category": category, "language": language, "steps": script.steps}


def scenario_file(tokenizer: DuplexTokenizer) -> str:
    """The whole scenario set, as YAML."""
    content = {
        "name": "pocket",
        "about": "what the pocket model knows, in phrasings that it was not trained on",
        "scenarios": list(scenarios(tokenizer)),
    }
    return HEAD + yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=110, default_flow_style=None)


def transcript_file(tokenizer: DuplexTokenizer) -> str:
    """Conversations as JSON lines: pairs of slices, null for a silent one.

    Every second one, from the second on, has a user who speaks as nobody in training does: these are what models are
    measured on, the others what an importance matrix is collected from (convert/quality_corpus.py).
    """
    lines: list[str] = []
    for number in range(TRANSCRIPT_COUNT):
        held_out = number % 2 == 1
        talk = draw(Random(f"transcripts/{number}"), tokenizer, 250, held_out=held_out)
        pairs = [(pair.said, None if pair.heard is None else tokenizer.decode(pair.heard)) for pair in talk.pairs]
        content = {"split": "test" if held_out else "train", "language": "+".join(talk.languages), "pairs": pairs}
        lines.append(json.dumps(content, ensure_ascii=False))
    return "\n".join(lines) + "\n"


def files() -> dict[Path, str]:
    """What is written, and where."""
    tokenizer = DuplexTokenizer()
    return {SCENARIOS: scenario_file(tokenizer), TRANSCRIPTS: transcript_file(tokenizer)}


def main() -> int:
    argparse.ArgumentParser(description=__doc__).parse_args()
    for path, content in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        print(f"{path.relative_to(ROOT)}: {len(content.encode()):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Makes the pocket model's tokenizer: SentencePiece BPE with the settings of MiniCPM-duplex, on this model's own words.

Knows the corpus of words and SentencePiece; knows nothing of the model. Writes `tokenizer.model` and its JSON files.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any, Final

import chinese
import pieces
import questions
import sentencepiece
import smalltalk
import unknown
from junk import JUNK
from phrasings import FOLLOW_UPS, REQUESTS, SAYINGS
from references import REFERENCES
from speech import FILLERS, LANGUAGES

HERE: Final = Path(__file__).resolve().parent
# Some of what people say more often than the tables do.
POLITE: Final = (
    "please add and please subtract from please multiply by please count in please tell me a story about please "
    "explain how to please explain how to and how about no sorry i meant okay and oh i meant"
)
NUM_PIECES: Final = 5625  # and seven added tokens
ADDED: Final = ("<idle>", "<s0>", "<s1>", "<s2>", "<s3>", "<s4>", "<s5>")
CHAT_TEMPLATE: Final = (
    "{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '<用户>' + message['content'].strip() + '<AI>' }}"
    "{% else %}{{ message['content'].strip() }}{% endif %}{% endfor %}"
)
# Text is counted by runs of letters, of digits and of single marks, so that no piece joins a digit to a comma; and by
# single Chinese characters, so that each is a piece.
_RUNS: Final = re.compile(r"[\u3400-\u9fff]| ?[^\W\d_\u3400-\u9fff]+| ?\d+| ?[^\w\s]")


class WordCounts(Counter[str]):
    """How often each run of text occurs, the space before it being part of it."""

    def add_told(self, text: str, times: int) -> None:
        """What the assistant says keeps its one spelling; only a message's first word has no space before it."""
        for i, run in enumerate(_RUNS.findall(" " + text)):
            self[run] += times
            if i == 0:
                self[run.strip()] += times

    def add_said(self, text: str, times: int, forms: int = 4) -> None:
        """What users say comes in lower case too, and a slice may begin with any word."""
        for run in _RUNS.findall(" " + text):
            word = run.strip()
            if "\u3400" <= word[0] <= "\u9fff":  # no space before it
                self[word] += times
                continue
            for form in (" " + word, " " + word.lower(), word.lower(), word)[:forms]:
                self[form] += times


def _templates() -> list[str]:
    """What users say in fixed words, in either language."""
    groups = [*REQUESTS.values(), FOLLOW_UPS]
    for language in LANGUAGES:
        said = SAYINGS[language]
        groups += [said.corrections, said.again, said.go_on, said.back_channels, said.stops, said.asides, said.resets]
        groups += [said.name_told, said.name_asked, JUNK[language], *REFERENCES[language].values()]
    texts = [text for group in groups for text in (*group.trained, *group.held_out)]
    for language in LANGUAGES:
        texts += [*SAYINGS[language].leads, *SAYINGS[language].tails, *FILLERS[language]]
    bare = [re.sub(r"\{.\}|\|", " ", text).strip() for text in texts]
    return [text for text in bare if text]


def _first(text: str) -> str:
    """The first run, as somebody writes it who begins with a capital."""
    return str(_RUNS.findall(text)[0]).capitalize()


def word_counts() -> Counter[str]:
    """What the model says and hears, counted."""
    rng = Random("tokenizer")
    counts = WordCounts()
    for language in LANGUAGES:
        for country in questions.countries(language):
            counts.add_said(country.name, 150)
            counts.add_said(country.capital, 40)
            counts.add_told(country.capital, 80)
            counts.add_said(f"{country.currency} {country.language}", 300, forms=1)
            counts.add_told(country.continent, 80)
        for piece in questions.pieces(language):
            counts.add_told(piece.text, 60)
            counts.add_said(piece.topic.replace("|", ""), 60)
        for text in (questions.resume(language), questions.nothing_left(language), questions.name_unknown(language)):
            counts.add_told(text, 200)
        counts.add_told(questions.name_answer(language, "") + questions.name_greeting(language, ""), 200)
    for joke in pieces.JOKES:
        counts.add_told(joke, 60)
    for text in _templates():
        counts.add_said(text, 20)
        counts[_first(text)] += 20
    counts.add_said(POLITE, 20)
    for talk in smalltalk.SMALL_TALK:
        counts.add_told(talk.answer, 60)
        counts.add_said(" ".join((*talk.trained, *talk.held_out)).replace("|", ""), 15)
    for words in unknown.WORDS.values():
        counts.add_said(" ".join(words), 6, forms=2)
    for i in range(45_000):
        ask = questions.any_ask(rng, held_out=i % 4 == 0, language="zh" if i % 9 == 0 else "en")
        counts.add_told(ask.answer, 1)
        counts.add_said(ask.text, 1, forms=3)
        counts[_first(ask.text)] += 1
    # Names are not counted: they are put together from syllables, the known ones as those that nobody has foreseen.
    for syllable in (c + v for c in "bcdfghjklmnprstvwyz" for v in "aeiou"):
        for form in (" " + syllable.capitalize(), " " + syllable, syllable):
            counts[form] += 60
    for character in "".join((*chinese.NAMES, *chinese.NAMES_HELD_OUT)):
        counts[character] += 1
    for number in range(1001):
        counts.add_said(str(number), 250 if number <= 100 else 1)
    for mark in "<>":
        counts[mark] += 2000
    counts["用户"] += 2000
    counts["AI"] += 2000
    # Every printable character of English, so that no common one needs bytes.
    for code in range(33, 127):
        counts[chr(code)] += 20
        counts[" " + chr(code)] += 2
    return counts


def train(folder: Path) -> None:
    """Write `tokenizer.model` into `folder`; the same source gives the same file."""
    counts = word_counts()
    here = Path.cwd()
    folder = folder.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        # The file keeps the names that it was made with: relative ones, so that it does not depend on the folder.
        os.chdir(scratch)
        try:
            _train_here(counts)
        finally:
            os.chdir(here)
        (folder / "tokenizer.model").write_bytes(Path(scratch, "tokenizer.model").read_bytes())


def _train_here(counts: Counter[str]) -> None:
    corpus = Path("words.tsv")
    corpus.write_text("".join(f"{word}\t{count}\n" for word, count in sorted(counts.items())), encoding="utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        input_format="tsv",
        model_prefix="tokenizer",
        model_type="bpe",
        vocab_size=NUM_PIECES,
        character_coverage=1.0,
        byte_fallback=True,
        normalization_rule_name="identity",
        add_dummy_prefix=False,
        remove_extra_whitespaces=False,
        user_defined_symbols=["\n", "\t"],
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )


def _token(content: str) -> dict[str, Any]:
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False}


def write_json(folder: Path) -> None:
    """The files that stand next to `tokenizer.model` in a Hugging Face checkpoint."""
    added = {token: NUM_PIECES + i for i, token in enumerate(ADDED)}
    control = {"<unk>": 0, "<s>": 1, "</s>": 2}
    decoder = {
        str(i): {**_token(token), "special": token in control} for token, i in (*control.items(), *added.items())
    }
    config = {
        "add_bos_token": True,
        "add_eos_token": False,
        "add_prefix_space": False,
        "added_tokens_decoder": decoder,
        "bos_token": "<s>",
        "chat_template": CHAT_TEMPLATE,
        "clean_up_tokenization_spaces": False,
        "eos_token": "</s>",
        "legacy": True,
        "model_max_length": 1024,
        "pad_token": None,
        "sp_model_kwargs": {},
        "spaces_between_special_tokens": False,
        "tokenizer_class": "LlamaTokenizer",
        "unk_token": "<unk>",
        "use_default_system_prompt": False,
    }
    names = {"bos_token": _token("<s>"), "eos_token": _token("</s>"), "unk_token": _token("<unk>")}
    for name, content in (
        ("added_tokens.json", added),
        ("tokenizer_config.json", config),
        ("special_tokens_map.json", names),
    ):
        (folder / name).write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description="Make the pocket model's tokenizer.")
    parser.add_argument("--out", type=Path, default=HERE, help="the folder to write into")
    folder: Path = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    train(folder)
    write_json(folder)


if __name__ == "__main__":
    main()

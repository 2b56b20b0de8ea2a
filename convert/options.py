"""The options of `edge-convert`'s commands: names, units, groups, texts and what a shell completes. Decides nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from command_line import complete
from convert.quantize import FILE_TYPES

_INPUT, _OUTPUT, _MACHINE, _MEASURING = "Input", "Output", "Machine", "Measuring"
_TYPES = tuple(FILE_TYPES)
_MODEL = "a folder with a checkpoint, a hub id (owner/name), or pocket for the one that is shipped"
Model = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help=f"The model: {_MODEL}.",
        show_default=False,
        autocompletion=complete.words("pocket", then=[complete.checkpoints]),
    ),
]
FloatModel = Annotated[
    str,
    typer.Argument(
        metavar="MODEL",
        help=f"The model: {_MODEL}; or a bf16 or f16 GGUF file.",
        show_default=False,
        autocompletion=complete.words("pocket", then=[complete.checkpoints, complete.gguf_files]),
    ),
]
Tokenizer = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=_INPUT,
        help="Where to take the small files from that MODEL lacks (tokenizer.model, config.json, ...).",
        show_default="none",
        autocompletion=complete.files,
    ),
]
Revision = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        rich_help_panel=_INPUT,
        help="A branch, tag or commit of a hub repository.",
        show_default="its default branch",
        autocompletion=complete.files,
    ),
]
Corpus = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE",
        rich_help_panel=_INPUT,
        help="The transcripts to read: duplex, pocket, or a file of JSON lines.",
        show_default="pocket for the pocket model, else duplex",
        autocompletion=complete.words("duplex", "pocket"),
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="COUNT",
        rich_help_panel=_MACHINE,
        help="Threads to work with, 1 or more.",
        show_default="one a processor",
    ),
]
GpuLayers = Annotated[
    int,
    typer.Option(
        min=-1,
        metavar="LAYERS",
        rich_help_panel=_MACHINE,
        help="How many layers run on the GPU, where there is one: -1 all, 0 none.",
    ),
]
Force = Annotated[bool, typer.Option("--force", rich_help_panel=_OUTPUT, help="Overwrite the file if it is there.")]
Quant = Annotated[
    str,
    typer.Option(
        metavar="TYPE",
        rich_help_panel=_OUTPUT,
        help="The type to write, by llama.cpp's name: q4_k_m, q8_0, bf16, ... (a wrong one lists them all).",
        autocompletion=complete.words(*_TYPES),
    ),
]
Imatrix = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=_OUTPUT,
        help="An importance matrix, as edge-convert imatrix or llama-imatrix writes it.",
        show_default="none",
        autocompletion=complete.files,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=_OUTPUT,
        help="The file to write.",
        show_default="models/NAME-TYPE.gguf",
        autocompletion=complete.files,
    ),
]
Types = Annotated[
    str,
    typer.Option(
        metavar="TYPE,TYPE,...",
        rich_help_panel=_MEASURING,
        help="The types to compare, by llama.cpp's names, with commas.",
        autocompletion=complete.listed(_TYPES),
    ),
]
Limits = Annotated[
    str,
    typer.Option(
        metavar="LIMIT,LIMIT,...",
        rich_help_panel=_MEASURING,
        help="What the type to be named must keep, with commas: FIGURE<=NUMBER or FIGURE>=NUMBER.",
        autocompletion=complete.files,
    ),
]
LadderTokens = Annotated[
    int,
    typer.Option(
        min=1,
        metavar="TOKENS",
        rich_help_panel=_MEASURING,
        help="How many tokens of the assistant are predicted, about; 1 or more.",
    ),
]
LadderImatrix = Annotated[
    str,
    typer.Option(
        metavar="auto|none|FILE",
        rich_help_panel=_MEASURING,
        help="The importance matrix: auto collects one, and measures with it and without.",
        autocompletion=complete.words("auto", "none"),
    ),
]
Evaluation = Annotated[
    str,
    typer.Option(
        "--eval",
        metavar="none|SET|FILE",
        rich_help_panel=_MEASURING,
        help="Scenarios for edge-chat eval, played against each type.",
        show_default="pocket for the pocket model, else none",
        autocompletion=complete.words("none", "pocket"),
    ),
]
EvalArgs = Annotated[
    str,
    typer.Option(
        metavar="OPTIONS",
        rich_help_panel=_MEASURING,
        help="More options for edge-chat eval, in quotes, such as '--limit 5'.",
        autocompletion=complete.files,
    ),
]
Speed = Annotated[
    bool,
    typer.Option("--speed/--no-speed", rich_help_panel=_MEASURING, help="Whether to time prefill and decoding."),
]
Fresh = Annotated[
    bool, typer.Option("--fresh", rich_help_panel=_MEASURING, help="Measure again what was measured before.")
]
LadderOut = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER",
        rich_help_panel=_OUTPUT,
        help="Where results and files are kept.",
        show_default="models/NAME-ladder",
        autocompletion=complete.files,
    ),
]
Keep = Annotated[bool, typer.Option("--keep", rich_help_panel=_OUTPUT, help="Keep the files of all types.")]
Json = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=_OUTPUT,
        help="Write everything that was measured to this file.",
        autocompletion=complete.files,
    ),
]
PlotFile = Annotated[
    Path | None,
    typer.Option(
        "--plot",
        metavar="FILE",
        rich_help_panel=_OUTPUT,
        help="Draw it to this .png or .svg file (needs matplotlib).",
        autocompletion=complete.files,
    ),
]
ImatrixOut = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        rich_help_panel=_OUTPUT,
        help="The file to write.",
        show_default=False,
        autocompletion=complete.files,
    ),
]
ImatrixTokens = Annotated[
    int,
    typer.Option(min=1, metavar="TOKENS", rich_help_panel=_INPUT, help="How many are read at most, 1 or more."),
]

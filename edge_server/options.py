"""The options of `edge-server`'s commands: names, units, groups, texts and what a shell completes. Decides nothing, and
imports little, so that help and completion come at once. Ranges are checked by `Config`.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from command_line import complete
from command_line.page import one_of

MODEL, NETWORK, CONVERSATION = "Model", "Network", "Conversation"
SPEED, LOG = "Speed and memory", "Log"


class KvType(str, Enum):
    """The numbers in the KV cache; the names of `llama.KV_TYPES`."""

    f32 = "f32"
    f16 = "f16"
    q8_0 = "q8_0"


class OnFull(str, Enum):
    """What a full context does."""

    slide = "slide"
    stop = "stop"


class FlashAttention(str, Enum):
    """Whether attention is computed in one pass."""

    auto = "auto"
    on = "on"
    off = "off"


class Compat(str, Enum):
    """Whose wire behaviour to copy."""

    upstream = "upstream"


# readable=False below: loading the file says what to do.
Model = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=MODEL,
        help="The model: a GGUF file made by edge-convert.",
        show_default="the newest in models/, the shipped pocket model last",
        readable=False,
        autocompletion=complete.gguf_files,
    ),
]
DoctorModel = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=MODEL,
        help="The model to look at: a GGUF file made by edge-convert.",
        show_default="all in models/, and as run would choose",
        readable=False,
        autocompletion=complete.gguf_files,
    ),
]
ChatModel = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        rich_help_panel=MODEL,
        help="A model of its own for the chat port, which needs no <idle> token.",
        show_default="the one of --model",
        readable=False,
        autocompletion=complete.gguf_files,
    ),
]
GpuLayers = Annotated[
    int,
    typer.Option(
        metavar="LAYERS",
        rich_help_panel=MODEL,
        help="How many layers run on the GPU (Metal), where there is one: -1 all, 0 none.",
    ),
]
Host = Annotated[
    str,
    typer.Option(
        metavar="ADDRESS",
        rich_help_panel=NETWORK,
        help="The address to listen on: localhost (127.0.0.1 and ::1), or 0.0.0.0 for other machines too.",
        autocompletion=complete.words("localhost", "0.0.0.0", "::"),  # noqa: S104 - offered, not bound
    ),
]
PortNumber = Annotated[
    int,
    typer.Option(
        metavar="PORT",
        rich_help_panel=NETWORK,
        help="The duplex server's port, 0 to 65535, where the page is too; 0 takes a free one.",
    ),
]
ChatPort = Annotated[
    int,
    typer.Option(
        metavar="PORT",
        rich_help_panel=NETWORK,
        help="The port of the ordinary, turn-based server, 0 to 65535; 0 takes a free one.",
    ),
]
AllowOrigin = Annotated[
    list[str] | None,
    typer.Option(
        metavar="ORIGIN",
        rich_help_panel=NETWORK,
        help="Pages from this origin (https://example.org) may connect too; may be given several times.",
        show_default="pages from this machine, and the server's own by an address in numbers",
        autocompletion=complete.files,
    ),
]
ResumeWindow = Annotated[
    float,
    typer.Option(
        metavar="SECONDS",
        rich_help_panel=NETWORK,
        help="How long a session of the JSON protocol waits for a client that was lost, 0 to 86400; 0: not at all.",
    ),
]
CompatWith = Annotated[
    Compat | None,
    typer.Option(
        metavar=one_of(Compat),
        rich_help_panel=NETWORK,
        help="Copy the reference server's wire behaviour, byte for byte.",
        show_default="our own, in docs/protocol.md",
    ),
]
Ctx = Annotated[
    int | None,
    typer.Option(
        metavar="TOKENS",
        rich_help_panel=CONVERSATION,
        help="The context of each conversation, 64 or more.",
        show_default="what the model was trained on, at most 4096",
    ),
]
FullContext = Annotated[
    OnFull,
    typer.Option(
        metavar=one_of(OnFull),
        rich_help_panel=CONVERSATION,
        help="What a full context does: forget its oldest slices (slide), or end the conversation (stop).",
    ),
]
SliceTokens = Annotated[
    int | None,
    typer.Option(
        metavar="TOKENS",
        rich_help_panel=CONVERSATION,
        help="The most that is said in a slice, 1 to 256.",
        show_default="half more than the model was trained to say: 15 for 10",
    ),
]
IdleBias = Annotated[
    float | None,
    typer.Option(
        metavar="LOGIT",
        rich_help_panel=CONVERSATION,
        help="Added to the logit of <idle> where a slice begins, -20 to 20: above 0 it waits longer, "
        "below 0 it speaks sooner.",
        show_default="what the model asks for: 1 for the pocket model, 0 for others and with --compat",
    ),
]
Temperature = Annotated[
    float,
    typer.Option(
        metavar="NUMBER",
        rich_help_panel=CONVERSATION,
        help="How freely words are drawn, 0 to 10; 0 always takes the likeliest.",
    ),
]
TopP = Annotated[
    float,
    typer.Option(
        metavar="SHARE",
        rich_help_panel=CONVERSATION,
        help="Draw from the likeliest tokens that have this probability together, above 0 to 1; 1 is off.",
    ),
]
TopK = Annotated[
    int,
    typer.Option(
        metavar="TOKENS",
        rich_help_panel=CONVERSATION,
        help="Draw from this many of the likeliest tokens; 0 is off.",
    ),
]
Seed = Annotated[
    int | None,
    typer.Option(
        metavar="NUMBER",
        rich_help_panel=CONVERSATION,
        help="The same seed gives the same words.",
        show_default="a new one for each conversation",
    ),
]
AssumeWpm = Annotated[
    float | None,
    typer.Option(
        metavar="WORDS",
        rich_help_panel=CONVERSATION,
        help="Text protocol: suppose that replies are spoken at this pace, in words a minute (a person's is about "
        "180), and forget what was not yet spoken when the user interrupts.",
        show_default="what was sent was heard",
    ),
]
Sessions = Annotated[
    int,
    typer.Option(
        metavar="COUNT",
        rich_help_panel=SPEED,
        help="How many conversations may speak at the same time, 1 to 64; silent ones beyond it are parked.",
    ),
]
Threads = Annotated[
    int | None,
    typer.Option(
        metavar="COUNT",
        rich_help_panel=SPEED,
        help="Threads that decode, 1 to 512.",
        show_default="the physical cores; of Apple's the fast ones",
    ),
]
LookAhead = Annotated[
    bool,
    typer.Option(
        "--look-ahead/--no-look-ahead",
        rich_help_panel=SPEED,
        help="Prepare the answer to silence before it comes, while the processor is idle. The words are the same; "
        "without it less power is used.",
    ),
]
FlashAttentionMode = Annotated[
    FlashAttention,
    typer.Option(
        metavar=one_of(FlashAttention),
        rich_help_panel=SPEED,
        help="Attention in one pass over the KV cache; auto: on a GPU that can, and with --kv-type q8_0, "
        "which needs it.",
    ),
]
KvTypeName = Annotated[
    KvType,
    typer.Option(
        metavar=one_of(KvType),
        rich_help_panel=SPEED,
        help="The numbers in the KV cache: q8_0 takes half the memory of f16.",
    ),
]
KvCells = Annotated[
    int | None,
    typer.Option(
        metavar="TOKENS",
        rich_help_panel=SPEED,
        help="What the KV cache holds, all conversations together; --ctx or more.",
        show_default="a quarter of the memory, at most --ctx for each session",
    ),
]
ParkMemory = Annotated[
    int | None,
    typer.Option(
        metavar="MIB",
        rich_help_panel=SPEED,
        help="Memory for parked conversations, in MiB; what does not fit goes to the disk. 0: all of them.",
        show_default="an eighth of the memory",
    ),
]
Batch = Annotated[
    int,
    typer.Option(
        metavar="TOKENS",
        rich_help_panel=SPEED,
        help="The most that one decode call takes, of all conversations together, 1 to 4096.",
    ),
]
Ration = Annotated[
    int,
    typer.Option(
        metavar="TOKENS",
        rich_help_panel=SPEED,
        help="How much of others' prefill joins a call that somebody decodes in, 1 to 4096: the more, the slower "
        "are the words.",
    ),
]
Verbose = Annotated[
    bool, typer.Option("--verbose", "-v", rich_help_panel=LOG, help="Log more, llama.cpp's messages too.")
]
Seconds = Annotated[
    float,
    typer.Option(metavar="SECONDS", rich_help_panel="Measuring", help="How long it may take, 1 to 3600."),
]
Table = Annotated[
    bool | None,
    typer.Option(
        "--table/--no-table",
        rich_help_panel="Output",
        help="Whether to show what was tried.",
        show_default="on a terminal",
    ),
]
Speed = Annotated[
    bool,
    typer.Option(
        "--speed/--no-speed",
        rich_help_panel="Measuring",
        help="Whether to measure if the machine keeps up with the slices: a few seconds, 15 at most.",
    ),
]
InJson = Annotated[bool, typer.Option("--json", rich_help_panel="Output", help="Print JSON, for programs.")]

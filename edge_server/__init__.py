"""The server."""

import os

# llama.cpp's threads meet a thousand times a token and spin while they wait, by GNU OpenMP's default for so long that
# one other busy process makes a token several times slower: a thread that was put aside holds up one that burns its own
# time. Short spins cost next to nothing on an idle machine. libgomp reads this when it is loaded, so it has to stand
# before llama.cpp is imported; other OpenMP libraries do not know it.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")

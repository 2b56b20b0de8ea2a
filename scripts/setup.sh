#!/bin/sh
# Makes the virtual environment $1 with everything that running and testing need.
# Knows: what has to be there beforehand (Python >= 3.10, a C and C++ compiler) and how llama-cpp-python is built.
set -eu

venv=${1:?usage: setup.sh VENV}
python=${PYTHON:-}
bindings='llama-cpp-python==0.3.36' # as in pyproject.toml

say() { printf '%s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# Where no Python is asked for, an environment that is there keeps its own: what `python3` is may be too old (macOS's is).
if [ -z "$python" ]; then
  python=python3
  if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then python=$venv/bin/python; fi
fi

# On Debian the headers and venv come in packages of their own; root can have them at once, everybody else is told.
debian() { # debian WHAT PACKAGES...
  what=$1; shift
  command -v apt-get >/dev/null 2>&1 || return 1
  if [ "$(id -u)" = 0 ]; then
    say "setup: installing $* ($what)"
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
  else
    fail "$what is missing; install it with: sudo apt-get install $*"
  fi
}

if ! "$python" --version >/dev/null 2>&1; then
  debian "Python" python3 python3-venv && python=python3 || fail "no $python that runs; install Python 3.10 or newer (macOS: brew install python@3.12)"
fi
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 10))' || fail "$("$python" --version 2>&1) is too old; install Python 3.10 or newer (macOS: brew install python@3.12), then: make PYTHON=python3.12 run"
"$python" -c 'import venv, ensurepip' 2>/dev/null || debian "Python's venv" python3-venv || fail "$python has no venv module; install it (Debian: apt-get install python3-venv)"

# An environment that an interrupted setup left half made, or one of another Python than was asked for, is made anew.
if "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
  version='import sys; print(*sys.version_info[:2])'
  [ "$("$venv/bin/python" -c "$version")" = "$("$python" -c "$version")" ] || rm -rf "$venv"
else
  rm -rf "$venv"
fi
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv"
pip="$venv/bin/python -m pip --disable-pip-version-check"
$pip install --quiet --upgrade pip

installed() { "$venv/bin/python" -c "import llama_cpp, sys; sys.exit(llama_cpp.__version__ != '${bindings#*==}')" 2>/dev/null; }
has_amx() { "$venv/bin/python" -c 'import llama_cpp, sys; sys.exit(b"AMX_INT8 = 1" not in llama_cpp.llama_print_system_info())' 2>/dev/null; }

build() { # build PIP-OPTIONS...
  compiler=${CXX:-c++}
  if ! "$compiler" --version >/dev/null 2>&1; then # without Xcode's tools, macOS has a c++ that only complains
    debian "a C++ compiler" build-essential || fail "no C++ compiler found; install one (macOS: xcode-select --install; Debian: apt-get install build-essential)"
  fi
  # What the bindings do not need is left out: the multimodal library, tools, server, examples, tests. On macOS llama.cpp
  # builds Metal in by default.
  CMAKE_ARGS="-DLLAVA_BUILD=OFF -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_SERVER=OFF -DLLAMA_BUILD_EXAMPLES=OFF -DLLAMA_BUILD_TESTS=OFF ${CMAKE_ARGS:-}"
  case $(uname -m) in
    # GCC 12's `_tile_loadconfig` makes llama.cpp's AMX kernels end the process (ggml-org/llama.cpp#20824, #26954). The
    # AVX-512 ones, with repacked weights, do the same work.
    x86_64 | amd64) CFLAGS="${CFLAGS:-} -mno-amx-tile -mno-amx-int8 -mno-amx-bf16" CXXFLAGS="${CXXFLAGS:-} -mno-amx-tile -mno-amx-int8 -mno-amx-bf16" ;;
  esac
  export CMAKE_ARGS CFLAGS CXXFLAGS
  $pip install --no-deps "$@" "$bindings" || fail "the build of $bindings failed; the compiler's message is above"
}
from_source="building llama.cpp's bindings from source; this takes about 4 minutes on 2 cores, once (pip keeps the wheel)"

if ! $pip install --quiet --no-deps --only-binary :all: "$bindings" 2>/dev/null && ! installed; then
  if $pip cache list llama_cpp_python 2>/dev/null | grep -q "${bindings#*==}"; then
    say "setup: installing llama.cpp's bindings from pip's cache"
  else
    say "setup: $from_source"
  fi
  build
fi
say "setup: installing the rest"
PYTHONWARNINGS=ignore $pip install --quiet --editable '.[test]'
if has_amx; then # a wheel built with other flags, from pip's cache or by hand
  say "setup: these bindings have AMX kernels, which some compilers break; $from_source"
  $pip cache remove "llama_cpp_python-${bindings#*==}*" >/dev/null 2>&1 || true
  (build --force-reinstall) || say "setup: going on with the bindings as they are; they run without AMX, and slower"
fi
say "setup: done ($venv)"

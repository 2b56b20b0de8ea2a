#!/bin/sh
# Builds llama-server into $1, from the llama.cpp source that the bindings' sdist carries: the same kernels as the project's.
# Knows: pip, cmake (from the registry where there is none) and which parts of llama.cpp are needed. Needs a C++ compiler.
set -eu

folder=${1:?usage: llama-server.sh FOLDER}
python=${PYTHON:-.venv/bin/python}
bindings=$(sed -n 's/^ *"\(llama-cpp-python==[0-9.]*\)",*$/\1/p' pyproject.toml)

say() { printf '%s\n' "$*" >&2; }
fail() { printf 'llama-server: %s\n' "$*" >&2; exit 1; }

[ -n "$bindings" ] || fail "pyproject.toml does not pin llama-cpp-python"
[ -x "$python" ] || fail "$python is missing; run make setup"
mkdir -p "$folder"
if [ ! -f "$folder/source/CMakeLists.txt" ]; then
  say "llama-server: fetching the source of $bindings"
  "$python" -m pip --disable-pip-version-check download --quiet --no-deps --no-binary llama-cpp-python --dest "$folder" "$bindings" ||
    fail "the source of $bindings could not be fetched"
  tar xzf "$folder"/llama_cpp_python-*.tar.gz -C "$folder"
  rm -rf "$folder/source"
  mv "$folder"/llama_cpp_python-*/vendor/llama.cpp "$folder/source"
  rm -rf "$folder"/llama_cpp_python-*
fi

cmake=$(command -v cmake || true)
if [ -z "$cmake" ]; then
  "$python" -m venv "$folder/tools"
  "$folder/tools/bin/python" -m pip --disable-pip-version-check install --quiet cmake
  cmake=$folder/tools/bin/cmake
fi

# GCC 12's AMX kernels end the process at the first quantised product; the project leaves them out, so this does too.
flags=
case $(uname -m) in
  x86_64)
    if echo | "${CXX:-c++}" -march=native -dM -E - 2>/dev/null | grep -q __AMX_INT8__; then
      flags='-mno-amx-tile -mno-amx-int8 -mno-amx-bf16'
    fi ;;
esac
say "llama-server: building; this takes about ten minutes on 2 cores, once"
"$cmake" -S "$folder/source" -B "$folder/build" -DCMAKE_BUILD_TYPE=Release -DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" \
  -DLLAMA_BUILD_COMMON=ON -DLLAMA_BUILD_TOOLS=ON -DLLAMA_BUILD_SERVER=ON -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF \
  -DLLAMA_BUILD_APP=OFF -DLLAMA_BUILD_UI=OFF -DLLAMA_USE_PREBUILT_UI=OFF -DLLAMA_OPENSSL=OFF -DLLAMA_CURL=OFF \
  -DBUILD_SHARED_LIBS=OFF >"$folder/build.log" 2>&1 ||
  fail "cmake failed; see $folder/build.log"
"$cmake" --build "$folder/build" --target llama-server --parallel "$(getconf _NPROCESSORS_ONLN)" >>"$folder/build.log" 2>&1 ||
  fail "the build failed; see $folder/build.log"
cp "$folder/build/bin/llama-server" "$folder/llama-server"
say "llama-server: $folder/llama-server"

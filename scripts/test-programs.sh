#!/bin/sh
# Installs the programs that tests use beside Python, where nobody has to be asked: for root on Debian. They are Chromium,
# in which the page is tested, and espeak-ng, which speaks for edge-chat. Tests that miss one are skipped and say why, so
# nothing here ends the run.
set -u

any() { # any NAMES...: whether there is one of these programs
  for name in "$@"; do
    command -v "$name" >/dev/null 2>&1 && return 0
  done
  return 1
}

missing=
any chromium chromium-browser google-chrome || missing="$missing chromium"
any espeak-ng || missing="$missing espeak-ng"
if [ -z "$missing" ] || [ "$(uname -s)" != Linux ]; then
  exit 0 # the skipped tests say what to install
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  printf 'setup: installing%s (for the tests)\n' "$missing"
  # One that fails leaves the other be. Unquoted: each is a package of that name.
  apt-get update -qq
  for package in $missing; do
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$package" >/dev/null ||
      printf 'setup: %s could not be installed; the tests that need it will be skipped\n' "$package"
  done
else
  printf 'setup: without%s some tests are skipped (Debian: sudo apt-get install%s)\n' "$missing" "$missing"
fi
exit 0

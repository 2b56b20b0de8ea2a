#!/bin/sh
# Installs Chromium, in which the page is tested, where nobody has to be asked: for root on Debian. Without one the page's tests are
# skipped and say why, so nothing here ends the run.
set -u

for name in chromium chromium-browser google-chrome; do
  command -v "$name" >/dev/null 2>&1 && exit 0
done
if [ "$(uname -s)" != Linux ]; then
  exit 0 # the skipped tests say what to install
elif [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
  printf 'setup: installing chromium (the browser that the page is tested in)\n'
  { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } ||
    printf 'setup: Chromium could not be installed; the tests of the page will be skipped\n'
else
  printf 'setup: without Chromium the tests of the page are skipped (Debian: sudo apt-get install chromium)\n'
fi
exit 0

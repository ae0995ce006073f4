#!/bin/sh
# The main job on real input, with nothing to type: `sh docs/demo.sh PHASELOOM`, from the repository's root.
# Works in build/demo/, which a second run makes anew, and leaves no process behind.
set -eu

phaseloom=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
place=$PWD/build/demo
# The demo has a server of its own, whatever this shell is configured for.
unset TEMPORAL_ADDRESS TEMPORAL_NAMESPACE TEMPORAL_PROFILE TEMPORAL_CONFIG_FILE 2>/dev/null || true

stop() {
  for project in "$place"/*/; do
    if [ -d "$project/.phaseloom" ]; then (cd "$project" && "$phaseloom" down --force >/dev/null 2>&1) || true; fi
  done
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

stop
rm -rf "$place"
mkdir -p "$place/utilities/.phaseloom"

echo "Three independent steps, each with acceptance tests (in build/demo/utilities):"
echo
(cd "$place/utilities" && "$phaseloom" run parallel-utilities --non-interactive)

echo
echo "An audit of this repository (in build/demo/audited, a copy of it):"
echo
if git rev-parse --verify --quiet HEAD >/dev/null 2>&1; then
  git clone --quiet . "$place/audited"
else
  mkdir -p "$place/audited"
  cp -R activities cli definitions engine workflows phaseloom.py worker.py "$place/audited"
fi
mkdir -p "$place/audited/.phaseloom"
(cd "$place/audited" && "$phaseloom" run comprehensive-audit --non-interactive)

echo
echo "The report:"
find build/demo/audited/.phaseloom/workflows -path '*/report/report.*' | sort | sed 's/^/  /'

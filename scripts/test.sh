#!/usr/bin/env bash
# test.sh: set-up, format, build and every test, stage by stage, each with its minutes; closes with ctest's summary.
# The slower checks are scripts/sanitize.sh, scripts/tidy.sh and scripts/fuzz.sh.
source "$(dirname "$0")/common.sh"

# stage NAME COMMAND…: runs it, says how long it took, stops at the first failure.
stage() {
  local name=$1 begin=$SECONDS
  shift
  say "stage: $name"
  "$@" || die "stage '$name' failed"
  printf '    stage %-22s %5.1f min\n' "$name" "$(awk "BEGIN{print ($SECONDS - $begin) / 60}")" >&2
}

stage "set-up" scripts/setup.sh --tests
stage "format and layout" scripts/lint.sh
stage "build" build release
say "stage: tests"
exec ctest --preset release --output-on-failure

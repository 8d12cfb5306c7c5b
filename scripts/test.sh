#!/usr/bin/env bash
# test.sh: every check there is, stage by stage, each with its minutes; closes with ctest's summary.
source "$(dirname "$0")/common.sh"

# stage NAME COMMAND…: runs it, says how long it took, stops at the first failure.
stage() {
  local name=$1 begin=$SECONDS
  shift
  say "stage: $name"
  "$@" || die "stage '$name' failed"
  printf '    stage %-22s %5.1f min\n' "$name" "$(awk "BEGIN{print ($SECONDS - $begin) / 60}")" >&2
}

sanitized() { # PRESET: unit and null-backend tests; the frameworks' own libraries are not instrumented
  local prefix=()
  # ThreadSanitizer's shadow wants fewer address bits than some kernels randomise.
  [ "$1" != tsan ] || prefix=(setarch "$(uname -m)" -R)
  build "$1"
  "${prefix[@]}" ctest --preset "$1" --output-on-failure --progress
}

stage "set-up" scripts/setup.sh --tests
stage "format and layout" scripts/lint.sh
stage "build" build release
stage "clang-tidy" scripts/tidy.sh
stage "asan and ubsan" sanitized asan
stage "tsan" sanitized tsan
stage "fuzzing" scripts/fuzz.sh 10
say "stage: tests"
exec ctest --preset release --output-on-failure

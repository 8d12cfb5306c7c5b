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

# Unit and null-backend tests under sanitizers; the frameworks' own libraries are not instrumented.
asan() {
  build asan
  ctest --preset asan --output-on-failure
}
# ThreadSanitizer sees threads: the programs that start some, and no others.
tsan() {
  build tsan assay_backend_test assay_engine_test assay_worker_test assay_runner_test assay_conformance_null
  # Its shadow wants fewer address bits than some kernels randomise.
  setarch "$(uname -m)" -R ctest --preset tsan --output-on-failure -E _NOT_BUILT
}

stage "set-up" scripts/setup.sh --tests
stage "format and layout" scripts/lint.sh
stage "build" build release
stage "clang-tidy" scripts/tidy.sh
stage "asan and ubsan" asan
stage "tsan" tsan
stage "fuzzing" scripts/fuzz.sh 10
say "stage: tests"
exec ctest --preset release --output-on-failure

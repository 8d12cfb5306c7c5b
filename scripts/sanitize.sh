#!/usr/bin/env bash
# sanitize.sh [asan|tsan]…: unit and null-backend tests under sanitizers; the frameworks' own libraries are not instrumented.
source "$(dirname "$0")/common.sh"

asan() { # AddressSanitizer and UndefinedBehaviorSanitizer
  build asan
  ctest --preset asan --output-on-failure
}

tsan() { # ThreadSanitizer sees threads: the programs that start some, and no others
  build tsan assay_backend_test assay_engine_test assay_worker_test assay_runner_test assay_conformance_null
  # Its shadow wants fewer address bits than some kernels randomise.
  setarch "$(uname -m)" -R ctest --preset tsan --output-on-failure -E _NOT_BUILT
}

[ $# -gt 0 ] || set -- asan tsan
for one in "$@"; do
  say "sanitizer: $one"
  "$one"
done

#!/usr/bin/env bash
# check.sh [FUZZ_SECONDS]: clang-tidy, the sanitizers, and every fuzz target for some seconds, each with its minutes.
source "$(dirname "$0")/common.sh"

stage "set-up" scripts/setup.sh --tests
need_tensorrt_headers
stage "clang-tidy" scripts/tidy.sh
for sanitizer in asan tsan; do
  stage "build, $sanitizer" build "$sanitizer"
  stage "tests, $sanitizer" scripts/sanitize.sh "$sanitizer"
done
stage "build, fuzz targets" build fuzz fuzzers
stage "fuzz" scripts/fuzz.sh "${1:-10}"

#!/usr/bin/env bash
# sanitize.sh [asan|tsan]…: unit and null-backend tests under AddressSanitizer with UndefinedBehaviorSanitizer, and under
# ThreadSanitizer. The frameworks' own libraries are not instrumented, so their tests (label "framework") stay out.
source "$(dirname "$0")/common.sh"

[ $# -gt 0 ] || set -- asan tsan
for sanitizer in "$@"; do
  say "sanitizer: $sanitizer"
  build "$sanitizer"
  # ThreadSanitizer's shadow wants fewer address bits than some kernels randomise.
  # What a sanitizer finds in one run of two it has found: only tests of whole processes, which measure, get a second try;
  # ThreadSanitizer, under which everything takes ten times as long, leaves them out.
  tests=(setarch "$(uname -m)" -R ctest --test-dir "build/$sanitizer" --parallel 2 --output-on-failure)
  "${tests[@]}" --label-exclude 'framework|processes|gpu'
  [ "$sanitizer" = tsan ] || "${tests[@]}" --label-regex processes --label-exclude 'framework|gpu' --repeat until-pass:2
done

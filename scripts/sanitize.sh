#!/usr/bin/env bash
# sanitize.sh [asan|tsan]…: unit and null-backend tests under AddressSanitizer with UndefinedBehaviorSanitizer, and under
# ThreadSanitizer. The frameworks' own libraries are not instrumented, so their tests (label "framework") stay out.
source "$(dirname "$0")/common.sh"

[ $# -gt 0 ] || set -- asan tsan
for sanitizer in "$@"; do
  say "sanitizer: $sanitizer"
  build "$sanitizer"
  # ThreadSanitizer's shadow wants fewer address bits than some kernels randomise.
  setarch "$(uname -m)" -R ctest --preset "$sanitizer" --output-on-failure --repeat until-pass:2
done

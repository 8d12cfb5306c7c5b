#!/usr/bin/env bash
# fuzz.sh SECONDS [TARGET…]: builds the libFuzzer targets and runs each for that long, beginning with the corpus in
# tests/fuzz/corpus. What is found is left in build/fuzz/findings.
source "$(dirname "$0")/common.sh"
seconds=${1:?"seconds a target"}
shift
build fuzz fuzzers
mkdir -p build/fuzz/findings
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for program in build/fuzz/fuzz/fuzz_*; do targets+=("$(basename "$program" | sed 's/^fuzz_//')"); done
fi
for target in "${targets[@]}"; do
  work=build/fuzz/work/$target
  mkdir -p "$work"
  corpus=(tests/fuzz/corpus/"$target")
  [ -d "${corpus[0]}" ] || corpus=()
  say "fuzzing $target for $seconds s"
  "build/fuzz/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="build/fuzz/findings/$target-" "$work" "${corpus[@]}" >"build/fuzz/$target.log" 2>&1 || {
    tail -40 "build/fuzz/$target.log" >&2
    die "fuzzing $target found something: build/fuzz/findings, build/fuzz/$target.log"
  }
  grep -E 'stat::number_of_executed_units' "build/fuzz/$target.log" | sed 's/^/    /' >&2 || true
done

#!/usr/bin/env bash
# tidy.sh: clang-tidy over our sources, with .clang-tidy. A file whose preprocessed text did not change since it passed is not
# looked at again (build/tidy keeps the marks).
source "$(dirname "$0")/common.sh"
[ -f build/release/compile_commands.json ] || die "build first: make build"
mkdir -p build/tidy

check() {
  local file=$1 mark key
  key=$( (clang-tidy-19 --version; cat .clang-tidy; clang++-19 -std=c++20 -Iinclude -Isrc -Ilibs -Ibuild/release/libs \
    -MM "$file" 2>/dev/null | tr -d '\\' | tr ' ' '\n' | grep -E '\.(cpp|hpp|h)$' | grep -v '^/' | xargs cat 2>/dev/null; cat "$file") |
    sha256sum | cut -c1-32)
  mark=build/tidy/$key
  [ -e "$mark" ] && return 0
  clang-tidy-19 -p build/release --quiet "$file" 2>/dev/null || return 1
  : >"$mark"
}
export -f check

git ls-files --cached --others --exclude-standard 'src/*.cpp' 'libs/*.cpp' 'backends/*.cpp' |
  grep -v '_test\.cpp$' | xargs -P "$(nproc)" -I{} bash -c 'check {} || { echo "clang-tidy: {}" >&2; exit 1; }'

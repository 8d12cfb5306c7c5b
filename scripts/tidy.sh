#!/usr/bin/env bash
# tidy.sh: clang-tidy over our sources, with .clang-tidy: several of a layer at once (the preset's unity files), since parsing
# the headers is what takes long. What passed is not looked at again until it, a header of ours or the rules change (the marks
# are in the user's cache, so that clones share them).
source "$(dirname "$0")/common.sh"
build tidy assay_onnx_proto
export ASSAY_TIDY_MARKS=${XDG_CACHE_HOME:-$HOME/.cache}/assay/tidy
mkdir -p "$ASSAY_TIDY_MARKS"
find "$ASSAY_TIDY_MARKS" -type f -mtime +30 -delete

# ours FILE: the file and all of ours that it includes.
ours() {
  local command
  command=$(python3 -c 'import json, sys; print(next(c["command"] for c in json.load(open("build/tidy/compile_commands.json")) if c["file"] == sys.argv[1]))' "$1")
  # shellcheck disable=SC2086
  (cd build/tidy && eval "${command% -o *} -MM '$1'" | tr -d '\\' | tr ' ' '\n' | grep -F "$root/" | grep -v "^$root/build/" | sort -u)
}
check() {
  local mark files
  mapfile -t files < <(ours "$1")
  mark=$ASSAY_TIDY_MARKS/$({ clang-tidy-19 --version; cat .clang-tidy "${files[@]}"; } | sha256sum | cut -c1-32)
  [ -e "$mark" ] && return 0
  # libstdc++ 12's stable_sort calls what it deprecates itself.
  clang-tidy-19 -p build/tidy --quiet --extra-arg=-Wno-deprecated-declarations "$1" 2>/dev/null || { echo "clang-tidy: $1" >&2; return 1; }
  : >"$mark"
}
export root
export -f check ours

# Not the files that include MLIR: each takes minutes and gigabytes.
python3 -c 'import json; print(*(c["file"] for c in json.load(open("build/tidy/compile_commands.json")) if "assay_onnx_proto" not in c["file"] and "assay_mlir_code" not in c["file"]), sep="\n")' |
  xargs -P "$(nproc)" -I{} bash -c 'check {}'

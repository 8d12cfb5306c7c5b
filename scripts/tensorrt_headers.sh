#!/usr/bin/env bash
# tensorrt_headers.sh: TensorRT's public headers as .deps/tensorrt-headers, for compiling the plugin tensorrt where there is no
# TensorRT. They lie in a crate (0.8 MiB to fetch, 0.9 MiB kept), which cargo fetches from the registry that it is set up for;
# without cargo the plugin is left out. Quick when nothing is missing.
source "$(dirname "$0")/common.sh"
crate=trtx-sys
version=0.8.1
file=$crate-$version+rtx1.6
sha256=ce855124c15c6b89050129b779ced096ed451fb99b00adab81a1d7dfab765aa3
folder=TensorRT-Headers/TRT-Enterprise-11.1
store=${ASSAY_DEPS_STORE:-${XDG_CACHE_HOME:-$HOME/.cache}/assay/deps}/tensorrt-headers-${sha256:0:16}

# fetched: the crate's file in cargo's own cache. `cargo info` fetches what it tells of, and none of its dependencies.
fetched() {
  local found
  found=$(ls -t "${CARGO_HOME:-$HOME/.cargo}"/registry/cache/*/"$file.crate" 2>/dev/null | head -1)
  [ -n "$found" ] && echo "$found"
}

fetch_headers() {
  local crate_file fresh
  command -v cargo >/dev/null || {
    say "no cargo here: the plugin tensorrt is left out (set TENSORRT_ROOT to build it with your TensorRT's headers)"
    return 0
  }
  say "fetching TensorRT's headers into the user's cache, where other clones find them"
  crate_file=$(fetched) || {
    (cd "${TMPDIR:-/tmp}" && cargo info --quiet "$crate@$version" >/dev/null 2>&1) || true
    crate_file=$(fetched) || {
      say "cargo could not fetch $crate $version (is its registry reachable from here, and cargo 1.82 or later?): the plugin tensorrt is left out"
      return 0
    }
  }
  echo "$sha256  $crate_file" | sha256sum --check --status || die "$crate_file is not what was pinned: its SHA-256 is another"
  mkdir -p "$(dirname "$store")"
  fresh=$(mktemp -d "$store.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$fresh'" EXIT
  tar -xzf "$crate_file" -C "$fresh" --strip-components=3 "$file/$folder"
  chmod 755 "$fresh"
  mv -T "$fresh" "$store" 2>/dev/null || rm -rf "$fresh" # another clone was faster
}

[ -z "${TENSORRT_ROOT:-}" ] || exit 0
mkdir -p .deps
[ -d "$store" ] || fetch_headers
[ ! -d "$store" ] || ln -sfn "$store" .deps/tensorrt-headers

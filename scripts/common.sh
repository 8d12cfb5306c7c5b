# Sourced by the other scripts: where things are, and how they speak.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"

# Clones in different folders share what ccache keeps: no absolute path takes part in its keys.
export CCACHE_BASEDIR=$root CCACHE_NOHASHDIR=1 CCACHE_IGNOREOPTIONS='-ffile-prefix-map=*'

say() { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
die() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

# as_root COMMAND…: as it is for root, else through sudo.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    die "this needs root: '$*'. Run it yourself, or install sudo."
  fi
}

# packages_missing FILE…: the listed Debian packages that are not installed.
packages_missing() {
  local wanted
  wanted=$(sed 's/#.*//' "$@" | tr -s ' \n' '\n' | sort -u | grep .)
  comm -23 <(echo "$wanted") <(dpkg-query -W -f '${binary:Package} ${db:Status-Status}\n' 2>/dev/null |
    sed -n 's/:amd64//; s/ installed$//p' | sort -u)
}

need_packages() {
  local missing
  command -v dpkg-query >/dev/null ||
    die "this is not Debian: install the equivalents of $(cat "$@" | grep -vc '^#') packages in $* and use cmake --preset release"
  missing=$(packages_missing "$@")
  [ -n "$missing" ] || return 0
  [ "$(id -u)" -eq 0 ] || command -v sudo >/dev/null ||
    die "Debian packages are missing, and there is no sudo here. As root, once: apt-get update && apt-get install -y --no-install-recommends" $missing
  say "installing Debian packages:" $missing
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq
  # shellcheck disable=SC2086
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
}

# need_frameworks NAME…: the pinned wheels of scripts/locks, each in a store below the user's cache folder whose name holds
# the lock's hash, so that clones share it; .deps/python links to what is in the stores, as site-packages would hold it.
# NAME-gpu has .deps/NAME-gpu to itself: its packages are called as those of NAME are. What was set up before stays.
need_frameworks() {
  local name store entry site
  [ ! -L .deps/python ] || rm .deps/python # of an earlier version: one store for all
  for name in "$@"; do
    site=.deps/python
    [[ $name != *-gpu ]] || site=.deps/$name
    mkdir -p "$site"
    need_wheels "$name"
    for entry in "$store"/*; do ln -sfn "$entry" "$site/${entry##*/}"; done
  done
}

# need_headers NAME: wheels of which headers alone are used, as .deps/NAME: beside the frameworks, so that nobody meets the
# libraries in them.
need_headers() {
  local store
  mkdir -p .deps
  need_wheels "$1"
  ln -sfn "$store" ".deps/$1"
}

# need_wheels NAME: fetches what a lock names, where it is not there yet; sets `store` to its folder.
need_wheels() {
  local name=$1
  [ "$(uname -m)" = x86_64 ] || die "the pinned wheels are for x86-64, this is $(uname -m)"
  [ -f "scripts/locks/$name.txt" ] || die "no lock file for '$name'; there are: $(cd scripts/locks && echo *.txt | sed 's/\.txt//g')"
  store=${ASSAY_DEPS_STORE:-${XDG_CACHE_HOME:-$HOME/.cache}/assay/deps}/$name-$(sha256sum <"scripts/locks/$name.txt" | cut -c1-16)
  [ -d "$store" ] || fetch_wheels "$name" "$store"
}

# fetch_wheels NAME STORE: whole or not at all.
fetch_wheels() {
  local name=$1 store=$2 fresh
  say "fetching $name into the user's cache, where other clones find it: $(sed -n '1s/^# //p' "scripts/locks/$name.txt")"
  python3 -m pip --version >/dev/null 2>&1 ||
    die "python3 has no pip${VIRTUAL_ENV:+ in the virtual environment $VIRTUAL_ENV}: $([ -z "${VIRTUAL_ENV:-}" ] && echo "install python3-pip" || echo "deactivate it, or: python3 -m ensurepip")"
  mkdir -p "$(dirname "$store")"
  fresh=$(mktemp -d "$store.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$fresh'" EXIT
  # The libraries in these wheels know no Python: any version of pip will do to fetch them.
  if ! python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore --no-deps \
    --require-hashes --only-binary=:all: --python-version 3.11 --implementation cp \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 --platform manylinux2014_x86_64 --target "$fresh" -r "scripts/locks/$name.txt"; then
    rm -rf "$fresh"
    die "pip could not fetch the wheels of scripts/locks/$name.txt (is PyPI reachable from here?)"
  fi
  chmod 755 "$fresh"
  mv -T "$fresh" "$store" 2>/dev/null || rm -rf "$fresh" # another clone was faster
}

# need_tensorrt_headers: dies where the build would leave the plugin tensorrt out, after `make setup` could not fetch its headers.
need_tensorrt_headers() {
  [ -z "${TENSORRT_ROOT:-}" ] && [ ! -e .deps/tensorrt-headers/NvOnnxParser.h ] || return 0
  die "TensorRT's headers are neither in .deps/tensorrt-headers nor named by TENSORRT_ROOT: none of the plugin tensorrt would be compiled or tested. Run scripts/tensorrt_headers.sh, which says what keeps it from fetching them (it takes cargo 1.82 or later and its registry), or set TENSORRT_ROOT to the folder of a TensorRT"
}

# tensorrt_has_come PRESET: its headers are here, and were not when the preset was configured.
tensorrt_has_come() {
  [ -e .deps/tensorrt-headers ] && grep -qs '^ASSAY_TENSORRT_INCLUDE:.*-NOTFOUND$' "build/$1/CMakeCache.txt"
}

# build PRESET [TARGET…]: configures when there is something new to configure, and builds.
build() {
  local preset=$1 stamp
  shift
  stamp=build/$preset/build.ninja
  if [ ! -f "$stamp" ] || [ CMakePresets.json -nt "$stamp" ] || [ .deps/mlir -nt "$stamp" ] || tensorrt_has_come "$preset"; then
    say "configuring ($preset)"
    cmake --preset "$preset" >"build.$preset.log" 2>&1 || {
      cat "build.$preset.log" >&2
      rm -f "build.$preset.log"
      die "cmake --preset $preset failed"
    }
    rm -f "build.$preset.log"
  fi
  # Ninja says "no work to do" even where it is told to be quiet: where it would, it is not asked.
  local planned
  planned=$(cmake --build --preset "$preset" ${1:+--target "$@"} -- -n 2>/dev/null) || true
  [[ $planned != *'no work to do'* ]] || return 0
  say "building ($preset): $(grep -c '^\[' <<<"$planned") steps"
  if [ -t 2 ]; then
    cmake --build --preset "$preset" ${1:+--target "$@"} >&2
  else
    cmake --build --preset "$preset" ${1:+--target "$@"} -- --quiet >&2
  fi
}

# stage NAME COMMAND…: runs it, says how long it took, stops at the first failure.
stage() {
  local name=$1 begin=$SECONDS
  shift
  say "stage: $name"
  "$@" || die "stage '$name' failed"
  printf '    stage %-22s %5.1f min\n' "$name" "$(awk "BEGIN{print ($SECONDS - $begin) / 60}")" >&2
}

#!/usr/bin/env bash
# bench.sh [ARGS…]: sets up, builds, and runs `assay bench ARGS`.
source "$(dirname "$0")/common.sh"
scripts/setup.sh
build release assay assay-worker plugins
exec build/release/bin/assay bench "$@"

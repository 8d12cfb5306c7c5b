#!/usr/bin/env bash
# bench.sh [ARGS…]: sets up, builds, and runs `assay bench ARGS`; without ARGS, on the two engines that are always set up
# and those of WITH="name …".
source "$(dirname "$0")/common.sh"
scripts/setup.sh
build release assay assay-worker plugins
engines=onnxruntime,openvino
for name in ${WITH:-}; do engines+=,$name; done
[ $# -gt 0 ] || set -- --backend "$engines"
exec build/release/bin/assay bench "$@"

#!/usr/bin/env bash
# setup.sh [--tests]: everything that building and running needs. Quick when nothing is missing.
# WITH="name …" adds frameworks to the two that are always set up.
source "$(dirname "$0")/common.sh"
if [ "${1:-}" = --tests ]; then
  need_packages scripts/packages-build.txt scripts/packages-test.txt
else
  need_packages scripts/packages-build.txt
fi
need_headers cuda-headers
scripts/tensorrt_headers.sh
# shellcheck disable=SC2086
need_frameworks onnxruntime openvino ${WITH:-}

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
# Of the compiler of our own there are Debian packages and no wheels; what lies in .deps says that it is wanted.
wheels=()
for name in ${WITH:-}; do
  if [ "$name" = mlir ]; then
    need_packages scripts/packages-mlir.txt
    [ -e .deps/mlir ] || touch .deps/mlir # newer than what was configured without it
  else
    wheels+=("$name")
  fi
done
need_frameworks onnxruntime openvino "${wheels[@]}"

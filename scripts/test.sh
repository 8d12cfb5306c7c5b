#!/usr/bin/env bash
# test.sh: set-up, format, build and every test, stage by stage, each with its minutes; closes with ctest's summary.
# What takes longer and finds other things is scripts/check.sh.
source "$(dirname "$0")/common.sh"

stage "set-up" env WITH="tensorflow mlir" scripts/setup.sh --tests
need_tensorrt_headers
stage "format and layout" scripts/lint.sh
stage "build" build release
say "stage: tests"
# A measurement that other programs on the machine disturbed says so and fails: such a test gets a second try.
# The engines were set up above: without them their tests are to fail, not to be skipped.
export ASSAY_REQUIRE_BACKENDS=onnxruntime,openvino,tensorflow,mlir
exec ctest --preset release --output-on-failure --repeat until-pass:2

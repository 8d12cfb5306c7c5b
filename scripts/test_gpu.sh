#!/usr/bin/env bash
# test_gpu.sh: what needs an NVIDIA GPU, stage by stage, each with its minutes: the tests with the label "gpu" on ONNX
# Runtime (onnxruntime-gpu, which is set up) and on TensorRT where it is found or TENSORRT_ROOT names it. Closes with
# ctest's summary and with a section for docs/gpu-log.md. Without a GPU: status 2, before anything is set up.
source "$(dirname "$0")/common.sh"
source scripts/gpu.sh

need_gpu test-gpu
stage "set-up" env WITH="onnxruntime-gpu ${WITH:-}" scripts/setup.sh --tests
stage "build" build release
ask_engines
without=()
[ -z "$left_out" ] || without=(--exclude-regex tensorrt)

say "stage: tests on the GPU"
export ASSAY_GPU_DB=$root/build/gpu/test.db
rm -f "$ASSAY_GPU_DB"*
begin=$SECONDS
failed=0
# One after another: they share the GPU, and some measure.
ctest --test-dir build/release --label-regex '^gpu$' "${without[@]}" --no-tests=error --output-on-failure \
  --output-junit "$root/build/gpu/test.xml" || failed=1
write_section "make test-gpu" "build/gpu/test-$(date +%Y-%m-%d).md" --minutes "$(((SECONDS - begin) / 60))" \
  --tests build/gpu/test.xml --results "$ASSAY_GPU_DB"
exit $failed

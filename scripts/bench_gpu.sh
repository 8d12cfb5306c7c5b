#!/usr/bin/env bash
# bench_gpu.sh [ARGS…]: the GPU's part of the study, and the figures that have bounds: sets up, builds, runs
# `assay bench --plan benchmarks/gpu.json ARGS` (the four networks, with and without batches in flight beside each other, and
# their ensemble, batches of 1 to 1024, f32 and f16, on each engine) and bench_gpu. Some hours, on a GPU that does nothing else. Leaves a section for docs/gpu-log.md.
# Status 1 where a case failed or a bound was missed; 2 without a GPU, before anything is set up.
source "$(dirname "$0")/common.sh"
source scripts/gpu.sh

need_gpu bench-gpu
stage "set-up" env WITH="onnxruntime-gpu ${WITH:-}" scripts/setup.sh
stage "build" build release assay assay-worker plugins bench_gpu
ask_engines

db=build/gpu/bench.db
figures=build/gpu/figures.txt
rm -f "$db"*
: >"$figures"
begin=$SECONDS
failed=0
say "stage: the networks and their ensemble"
build/release/bin/assay bench --plan benchmarks/gpu.json --backend "$engines" --db "$db" "$@" || failed=1

say "stage: figures against their bounds"
model=build/gpu/resnet50.onnx
[ -f "$model" ] || build/release/bin/assay models make resnet50 --dir build/gpu
for engine in ${engines//,/ }; do
  build/release/benchmarks/bench_gpu "$model" "$engine" | tee -a "$figures" || failed=1
done
write_section "make bench-gpu" "build/gpu/bench-$(date +%Y-%m-%d).md" --minutes "$(((SECONDS - begin) / 60))" \
  --figures "$figures" --results "$db"
exit $failed

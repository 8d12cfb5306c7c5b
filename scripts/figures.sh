#!/usr/bin/env bash
# figures.sh: every figure of Assay's own against its bound, and head-to-head against the frameworks; about an hour and a half, on a
# machine that does nothing else. What was seen is in docs/figures.md.
source "$(dirname "$0")/common.sh"
scripts/setup.sh
need_packages scripts/packages-figures.txt
build release
uptime >&2
missed=0
run() { "build/release/benchmarks/$@" || missed=1; }

model=build/figures/resnet50.onnx
[ -f "$model" ] || build/release/bin/assay models make resnet50 --dir build/figures
run bench_overhead
run bench_memory_overhead
for backend in onnxruntime openvino; do run bench_head_to_head "$model" "$backend" --goal latency --batch ''; done
for backend in onnxruntime openvino; do run bench_head_to_head "$model" "$backend"; done
run bench_benchmark_app "$model"
if [ -e .deps/python/tensorflow ]; then # make setup WITH=tensorflow
  run bench_head_to_head "$model" tensorflow
  build/release/bin/assay bench --plan benchmarks/tensorflow_layouts.json --db build/figures/layouts.db
fi
run bench_ensemble build/release/bin/assay --batch 1,8 --effort standard --duration 6s
uptime >&2
exit $missed

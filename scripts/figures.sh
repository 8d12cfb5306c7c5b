#!/usr/bin/env bash
# figures.sh: every figure of Assay's own against its bound, and head-to-head against the frameworks; some hours, on a
# machine that does nothing else. What was seen is in docs/figures.md.
source "$(dirname "$0")/common.sh"
scripts/setup.sh
need_packages scripts/packages-figures.txt
build release
uptime >&2
missed=0
# Turns of this build: those of another cannot be gone on with.
built=$(cat build/release/bin/assay build/release/libexec/assay/assay-worker build/release/benchmarks/bench_* build/release/lib/assay/*.so | sha256sum | cut -c1-8)
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
all=onnxruntime,openvino
[ ! -e .deps/python/tensorflow ] || all=$all,tensorflow
if [ -e .deps/mlir ]; then # make setup WITH=mlir
  all=$all,mlir
  state=build/figures/compiler-$built
  run bench_compiler --batch 1 --variants math=strict,target=avx2 --blocks 8 --state $state
  run bench_compiler --batch 8 --variants math=strict --state $state
  run bench_compiler --batch 32 --blocks 4 --state $state
  run bench_networks build/figures/networks
  others() { run bench_compiler --networks "$1" --least "$2" --others onnxruntime --threads 2 --batch 3,5 --state $state; }
  others "$(ls build/figures/networks/*.onnx | grep -v transformer | paste -sd,)" 0.9
  others "$(ls build/figures/networks/*.onnx | grep transformer)" 0.7
fi
engines='onnxruntime;onnxruntime,openvino'
[ "$all" = onnxruntime,openvino ] || engines="$engines;$all"
run bench_ensemble --sets "$engines" --batch 1 --blocks 8 --minutes 17 --state build/figures/ensemble-$built
run bench_ensemble --sets "$engines" --batch 8 --blocks 8 --minutes 24 --state build/figures/ensemble-$built
run bench_ensemble --sets "$engines" --batch 32 --window 6000 --blocks 6 --minutes 75 --state build/figures/ensemble-$built
run bench_placement build/release/bin/assay
uptime >&2
exit $missed

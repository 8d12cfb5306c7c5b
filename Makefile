# The two front doors are `make bench` and `make test`; each sets up what it needs. CMake does the rest (CMakePresets.json).
PREFIX ?= /usr/local
ARGS ?=
export WITH

.PHONY: help setup build bench test test-gpu bench-gpu check install format lint tidy sanitize fuzz figures clean
help:
	@echo "make bench [ARGS='…']     set up, build, benchmark ResNet50 on ONNX Runtime and OpenVINO; ARGS go to 'assay bench'"
	@echo "make bench WITH=tensorflow    the same with a third engine (also: make setup WITH=tensorflow; 274 MB to fetch)"
	@echo "make setup WITH=mlir      the compiler of our own as an engine, too (Debian's LLVM and MLIR 22, 1 GB to install)"
	@echo "make setup WITH=onnxruntime-gpu   the same engine for NVIDIA GPUs, with its CUDA libraries (1.2 GB to fetch)"
	@echo "make test                 set up, build, check format and layout, run every test"
	@echo "make test-gpu             on a machine with an NVIDIA GPU: what make test leaves out for want of one (fetches onnxruntime-gpu)"
	@echo "make bench-gpu [ARGS='…'] there, too: the study of networks and ensembles, and figures against their bounds (hours)"
	@echo "make check                clang-tidy, tests under sanitizers, fuzz targets for seconds (CI runs this too)"
	@echo "make install [PREFIX=…]   build, and install program, plugins, headers and CMake package (default /usr/local)"
	@echo "make build                set up and build only (build/release/bin/assay)"
	@echo "make format | lint        clang-format | the checks that need no build"
	@echo "make sanitize | tidy      parts of 'make check': tests under ASan, UBSan and TSan | clang-tidy"
	@echo "make fuzz SECONDS=600     run every fuzz target for so long"
	@echo "make figures              the cost of Assay itself, and head-to-head against the frameworks (some hours, quiet machine)"

setup:
	@scripts/setup.sh
build: setup
	@bash -c 'source scripts/common.sh; build release assay assay-worker plugins'
bench:
	@scripts/bench.sh $(ARGS)
test:
	@scripts/test.sh
test-gpu:
	@scripts/test_gpu.sh
bench-gpu:
	@scripts/bench_gpu.sh $(ARGS)
install: setup
	@bash -c 'source scripts/common.sh; build release assay assay-worker plugins assay_shared'
	@cmake --install build/release --prefix "$(PREFIX)"
	@echo "Installed. Next, the engines (fetched into your data folder): $(PREFIX)/bin/assay setup onnxruntime openvino"
format:
	@scripts/format.sh
lint:
	@scripts/lint.sh
check:
	@scripts/check.sh
tidy:
	@scripts/setup.sh --tests
	@scripts/tidy.sh
sanitize:
	@scripts/setup.sh --tests
	@scripts/sanitize.sh
figures:
	@scripts/figures.sh
fuzz:
	@scripts/setup.sh --tests
	@scripts/fuzz.sh $(or $(SECONDS),60)
clean:
	rm -rf build

# The two front doors are `make bench` and `make test`; each sets up what it needs. CMake does the rest (CMakePresets.json).
PREFIX ?= /usr/local
ARGS ?=

.PHONY: help setup build bench test install format lint tidy sanitize fuzz clean
help:
	@echo "make bench [ARGS='…']     set up, build, benchmark ResNet50 on ONNX Runtime and OpenVINO; ARGS go to 'assay bench'"
	@echo "make test                 set up, build, check format and layout, run every test"
	@echo "make install [PREFIX=…]   build, and install program, plugins, headers and CMake package (default /usr/local)"
	@echo "make build                set up and build only (build/release/bin/assay)"
	@echo "make format | lint        clang-format | the checks that need no build"
	@echo "make sanitize | tidy      tests under ASan, UBSan and TSan | clang-tidy (long: minutes to half an hour)"
	@echo "make fuzz SECONDS=600     run every fuzz target for so long"

setup:
	@scripts/setup.sh
build: setup
	@bash -c 'source scripts/common.sh; build release'
bench:
	@scripts/bench.sh $(ARGS)
test:
	@scripts/test.sh
install: build
	@cmake --install build/release --prefix "$(PREFIX)"
format:
	@scripts/format.sh
lint:
	@scripts/lint.sh
tidy: build
	@scripts/tidy.sh
sanitize: setup
	@scripts/sanitize.sh
fuzz:
	@scripts/fuzz.sh $(or $(SECONDS),60)
clean:
	rm -rf build

#!/bin/sh
# symbols.sh BUILD: what our binaries export and need. A plugin exports its query alone; nobody exports or needs protobuf,
# since a second one in a process crashes TensorFlow when it is opened (docs/adr/0001); no plugin links its framework, and the
# compiler of our own has LLVM and MLIR within it, where they meet nobody else's.
set -eu
build=$1
bad=0
fail() { echo "$1"; bad=1; }

exports() { nm --dynamic --defined-only --demangle "$1" | sed 's/^[0-9a-f]* *[A-Za-z] //'; }
needs() { readelf --dynamic --wide "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\].*/\1/p'; }

check_any() {
  found=$(exports "$1" | grep -E 'google::protobuf|(^|[^[:alnum:]_:])onnx::' | head -3 || true)
  [ -z "$found" ] || fail "$1 exports $found"
  found=$(needs "$1" | grep -E 'protobuf|libonnx|onnxruntime|openvino|tensorflow|nvinfer|nvonnxparser|libcud|nvidia|libLLVM|libMLIR' || true)
  [ -z "$found" ] || fail "$1 needs $found"
}

plugins=0
for plugin in "$build"/lib/assay/libassay_backend_*.so; do
  [ -e "$plugin" ] || continue
  plugins=$((plugins + 1))
  check_any "$plugin"
  exported=$(exports "$plugin")
  [ "$exported" = assay_backend_query ] || fail "$plugin exports more or less than assay_backend_query: $(echo "$exported" | head -5)"
done
# What a plugin needs of the system the program needs, too: where the one runs, so does the other.
if [ -e "$build"/bin/assay ]; then
  for plugin in "$build"/lib/assay/libassay_backend_*.so; do
    for library in $(needs "$plugin"); do
      needs "$build"/bin/assay | grep -qxF "$library" || fail "$plugin needs $library, which the program does not"
    done
  done
fi
[ "$plugins" -gt 0 ] || fail "there is no plugin below $build/lib/assay"

checked=$plugins
for binary in "$build"/bin/assay "$build"/libexec/assay/assay-worker "$build"/lib/libassay.so; do
  [ -e "$binary" ] || continue
  checked=$((checked + 1))
  check_any "$binary"
done
[ "$bad" -eq 0 ] && echo "$checked binaries export and need what they may"
exit "$bad"

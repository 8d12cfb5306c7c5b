#!/usr/bin/env bash
# install_test.sh BUILD SOURCE [FRAMEWORKS]: installs into a temporary prefix, builds every example against it, and uses the
# installed program with an environment of its own. FRAMEWORKS is a folder of unpacked wheels; it stands in for `assay setup`,
# which needs the network.
set -euo pipefail
build=$1 source=$2 frameworks=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >/dev/null

# Nothing of the caller's environment, and nothing of the build tree.
clean() { env -i PATH="$work/prefix/bin:/usr/bin:/bin" HOME="$work/home" LANG=C.UTF-8 "$@"; }
mkdir -p "$work/home/.local/share/assay/frameworks"
backends=(null)
if [ -n "$frameworks" ]; then
  for name in onnxruntime openvino; do
    ln -s "$(readlink -f "$frameworks")" "$work/home/.local/share/assay/frameworks/$name"
    backends+=("$name")
  done
fi

for example in predict own_protobuf out_of_tree_backend; do
  cmake -S "$source/examples/$example" -B "$work/$example" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_BUILD_TYPE=Release >"$work/log" 2>&1 && cmake --build "$work/$example" >>"$work/log" 2>&1 ||
    { cat "$work/log"; echo "example $example does not build"; exit 1; }
done

cd "$work"
clean assay --version
clean assay backends | tee backends.txt
for name in "${backends[@]}"; do grep -q "^$name .*yes\|^$name .*available" backends.txt || { echo "backend $name is not there"; exit 1; }; done
clean assay models make tiny-resnet --dir "$work"
model=$(ls "$work"/tiny-resnet*.onnx)
for name in "${backends[@]:1}"; do
  clean "$work/predict/predict" "$model" "$name"
done
[ "${#backends[@]}" -eq 1 ] || clean "$work/own_protobuf/own_protobuf" "$model" "${backends[@]:1}"

# A plugin from outside, found by ASSAY_BACKEND_PATH.
plugin=$(basename "$(ls "$work"/out_of_tree_backend/libassay_backend_*.so)" .so)
clean env ASSAY_BACKEND_PATH="$work/out_of_tree_backend" assay backends | grep "^${plugin#libassay_backend_} "
echo "installation works: ${backends[*]}"

#!/usr/bin/env bash
# install_test.sh BUILD SOURCE [FRAMEWORKS]: installs into a temporary prefix, builds a copy of every example against it, and
# uses the installed program with an environment of its own: nothing of the clone takes part. FRAMEWORKS is a folder of
# unpacked wheels; it stands in for `assay setup`, which needs the network.
set -euo pipefail
build=$1 source=$2 frameworks=${3:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >/dev/null
cp -r "$source/examples" "$work/examples"

fail() {
  echo "$*"
  exit 1
}

# What is installed works with the clone moved away: it knows neither where that was nor where it was built.
for place in "$source" "$build"; do
  ! grep -rlF -- "$(readlink -f "$place")" "$work/prefix" || fail "installed files name $place"
done

# Nothing of the caller's environment, and nothing of the build tree.
clean() { env -i PATH="$work/prefix/bin:/usr/bin:/bin" HOME="$work/home" LANG=C.UTF-8 "$@"; }
mkdir -p "$work/home/.local/share/assay/frameworks"
backends=(null)
if [ -n "$frameworks" ]; then
  for name in onnxruntime openvino tensorflow; do
    ln -s "$(readlink -f "$frameworks")" "$work/home/.local/share/assay/frameworks/$name"
    backends+=("$name")
  done
fi

for example in predict ensemble own_protobuf out_of_tree_backend; do
  cmake -S "$work/examples/$example" -B "$work/$example" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_BUILD_TYPE=Release >"$work/log" 2>&1 && cmake --build "$work/$example" >>"$work/log" 2>&1 ||
    { cat "$work/log"; fail "example $example does not build"; }
done

cd "$work"
clean assay --version
clean assay backends | tee backends.txt
for name in "${backends[@]}"; do
  grep -Eq "^$name +available: " backends.txt || fail "backend $name is not there"
done
clean assay setup --dry-run onnxruntime openvino tensorflow >setup.txt
for name in onnxruntime openvino tensorflow; do
  grep -q "would run: .*--require-hashes.*$work/prefix/share/assay/locks/$name.txt" setup.txt ||
    fail "setup would not fetch $name: $(cat setup.txt)"
done

# Two samples of eight zeros.
{
  printf '\x93NUMPY\x01\x00\x76\x00'
  printf '%-117s\n' "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 8), }"
  head -c 64 /dev/zero
} >x.npy
for name in "${backends[@]}"; do
  options=()
  [ "$name" != null ] || options=(--option "io=input:float32:-1x8->probabilities:float32:-1x4")
  clean assay predict tiny-mlp --input x.npy --backend "$name" "${options[@]}" -o "$name.npy" >answers.txt
  [ "$(wc -l <answers.txt)" -eq 2 ] && [ -s "$name.npy" ] || fail "predict on $name answered: $(cat answers.txt)"
done
clean assay models make tiny-resnet --dir "$work"
model=$(ls "$work"/tiny-resnet*.onnx)
for name in "${backends[@]:1}"; do
  clean "$work/predict/predict" "$model" "$name"
done
# The example's plan has a member on each of two engines.
clean assay models make tiny-densenet --dir "$work"
[ "${#backends[@]}" -eq 1 ] || clean "$work/ensemble/ensemble"
[ "${#backends[@]}" -eq 1 ] || clean "$work/own_protobuf/own_protobuf" "$model" "${backends[@]:1}"

# A plugin from outside, found by ASSAY_BACKEND_PATH.
plugin=$(basename "$(ls "$work"/out_of_tree_backend/libassay_backend_*.so)" .so)
clean env ASSAY_BACKEND_PATH="$work/out_of_tree_backend" assay backends | grep "^${plugin#libassay_backend_} "
echo "installation works: ${backends[*]}"

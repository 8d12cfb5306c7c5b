# Sourced, after common.sh, by what needs an NVIDIA GPU. What it leaves lies in build/gpu.

# gpus: the driver's GPUs, a line each; or why there is none, with status 1. CUDA_VISIBLE_DEVICES counts.
gpus() {
  command -v python3 >/dev/null || {
    echo "there is no python3 to ask the driver with (apt-get install python3)"
    return 1
  }
  python3 - <<'PYTHON'
import ctypes
import sys


def none(why):
    print(why)
    sys.exit(1)


try:
    driver = ctypes.CDLL("libcuda.so.1")
except OSError:
    none("no driver is installed (there is no libcuda.so.1)")
NO_DEVICE = 100
count = ctypes.c_int(0)
status = driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count))
if status == NO_DEVICE or (status == 0 and count.value == 0):
    none("the driver sees no GPU")
if status != 0:
    words = ctypes.c_char_p(b"")
    driver.cuGetErrorString(status, ctypes.byref(words))
    none(f"the driver does not tell its GPUs: error {status}, {(words.value or b'unknown').decode()}")
for number in range(count.value):
    name = ctypes.create_string_buffer(256)
    driver.cuDeviceGetName(name, len(name), number)
    print(f"gpu:{number} ({name.value.decode()})")
PYTHON
}

# need_gpu TARGET: before anything is fetched or built; status 2 where there is none.
need_gpu() {
  local found
  if ! found=$(gpus); then
    printf 'error: make %s needs an NVIDIA GPU and its driver, and here %s; run it where there are both (a container is given them by docker run --gpus all).\n' "$1" "$found" >&2
    exit 2
  fi
  say "the driver's GPUs:" $found
}

# ask_engines: what the program says of engines and devices, kept as JSON. Sets `engines` to those that take part, and
# `left_out` to why TensorRT does not: where it is found, or was named, it does, and what is wrong with it is a failure.
ask_engines() {
  local why
  mkdir -p build/gpu
  build/release/bin/assay backends --json >build/gpu/backends.json
  engines=onnxruntime,tensorrt
  left_out=
  why=$(python3 - build/gpu/backends.json <<'PYTHON'
import json
import sys

with open(sys.argv[1]) as file:
    backends = {b["name"]: b for b in json.load(file)["backends"]}
tensorrt = backends.get("tensorrt")
if tensorrt is None:
    print("its plugin was not built, for want of headers")
elif "was not found" in tensorrt["reason"]:
    print(tensorrt["reason"])
PYTHON
)
  if [ -n "$why" ] && [ -z "${TENSORRT_ROOT:-}${ASSAY_TENSORRT_PATH:-}" ]; then
    engines=onnxruntime
    left_out=$why
    say "TensorRT is left out: $why"
  fi
}

# write_section TITLE FILE ARGUMENT…: what was run, as a section of docs/gpu-log.md.
write_section() {
  local title=$1 file=$2
  shift 2
  python3 scripts/gpu_log.py --title "$title" --commit "$(git rev-parse --short HEAD 2>/dev/null || echo unknown)" \
    --program build/release/bin/assay --backends build/gpu/backends.json --left-out "$left_out" "$@" >"$file"
  say "what was run, as a section for docs/gpu-log.md: $file"
}

#!/usr/bin/env bash
# format.sh: clang-format over everything of ours.
source "$(dirname "$0")/common.sh"
git ls-files --cached --others --exclude-standard '*.cpp' '*.hpp' '*.h' '*.c' | xargs clang-format-19 -i

#!/usr/bin/env bash
# lint.sh: format, sizes, and what must not be in the tree. Needs no build.
source "$(dirname "$0")/common.sh"
failed=0
complain() {
  printf '%s\n' "$*" >&2
  failed=1
}

mapfile -t code < <(git ls-files --cached --others --exclude-standard '*.cpp' '*.hpp' '*.h' '*.c')
clang-format-19 --dry-run --Werror "${code[@]}" || complain "format: run 'make format'"

for file in "${code[@]}"; do
  lines=$(wc -l <"$file")
  [ "$lines" -le 400 ] || complain "$file: $lines lines; over 400 a file is missing a name of its own"
done

# A machine's own paths, and marks of unfinished work, belong in no commit.
if git grep -nE '(^|[^a-zA-Z.$}])/(root|home/[a-z]+|work|farm)/' -- . ':!scripts/lint.sh' ':!tests'; then
  complain "a machine path is in the tree"
fi
if git grep -nwE 'TODO|FIXME|XXX' -- '*.cpp' '*.hpp' '*.h' '*.md' '*.cmake' '*.sh' ':!scripts/lint.sh'; then
  complain "unfinished work is marked in the tree"
fi
if git grep -nE 'DISABLED_' -- '*.cpp'; then
  complain "a test is switched off"
fi
exit $failed

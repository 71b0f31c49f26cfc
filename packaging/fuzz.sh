#!/usr/bin/env bash
# Fuzzes every test whose name begins with fuzz_ with libFuzzer, FUZZ_SECONDS each (60). What it finds stays beside the test, in
# __fuzz__, and fails it from then on: commit it with the mend.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
seconds=${FUZZ_SECONDS:-60}

# libFuzzer wants flags that a stable compiler takes from RUSTC_BOOTSTRAP alone.
fuzz=(cargo bolero test --rustc-bootstrap --sanitizer NONE -T "${seconds}s")
# cargo builds a package's programs beside its tests, with calls for coverage and without libFuzzer, which has what they call.
# They are not run, so it may be missing.
export RUSTFLAGS="${RUSTFLAGS:-} -Clink-arg=-Wl,--warn-unresolved-symbols"
targets=$(git grep -Eo 'fn fuzz_[a-z_]+' -- '*.rs')
failed=()
while IFS=: read -r file name; do
    folder=${file%%/src/*}
    package=$(sed -n 's/^name = "\(.*\)"/\1/p' "$folder/Cargo.toml" | head -n 1)
    # Tests are in a module of that name, in the file or in one beside it. A folder's module may be its mod.rs.
    module=${file#*/src/} module=${module%.rs} module=${module%/tests} module=${module%/mod}
    target=${module//\//::}::tests::$name
    printf '\n%s of %s, %s s\n' "$target" "$package" "$seconds"
    "${fuzz[@]}" --package "$package" "$target" || failed+=("$package: $target")
done <<<"${targets//fn /}"
((${#failed[@]} == 0)) || {
    printf 'fuzz: failed: %s\n' "${failed[@]}" >&2
    exit 1
}

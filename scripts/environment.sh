# Sourced by scripts/run and scripts/test: the virtual environment of this checkout.
# shellcheck shell=bash
#
# The caller sets `root` to the repository's folder and calls `prepare_environment [EXTRA]`,
# which leaves `venv` and `python` behind. With `lowest=yes` it is a second one, .venv-lowest, with
# the lowest versions that pyproject.toml allows and the Python that they were made for.

say() { printf '%s\n' "$*" >&2; }

# Print the first Python >= 3.11 that runs and can make virtual environments.
find_python() {
    local candidate seen="" candidates="python3.14 python3.13 python3.12 python3.11 python3 python"
    if [ "${lowest:-}" = yes ]; then candidates="python3.11 python3.12"; fi
    for candidate in $candidates; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        # a name on the path may be a version manager's shim without a version behind it
        "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
        seen="$candidate"
        "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1 || continue
        printf '%s\n' "$candidate"
        return 0
    done
    if [ -n "$seen" ]; then
        say "error: $seen has no venv module; install it (Debian, Ubuntu: apt install python3-venv) and try again"
    elif [ "${lowest:-}" = yes ]; then
        say "error: no Python for the lowest versions found (looked for $candidates); install one and try again"
    else
        say "error: no Python >= 3.11 found (looked for python3.14, 3.13, 3.12, 3.11, python3, python); install one and try again"
    fi
    return 1
}

# Print a digest of everything that decides whether the installation is current.
installation_stamp() {
    "$python" - "$root" <<'PYTHON'
import hashlib, pathlib, sys

root = pathlib.Path(sys.argv[1])
digest = hashlib.sha256(f"{root}\n{sys.version}\n".encode())
digest.update((root / "pyproject.toml").read_bytes())
digest.update((root / "scripts" / "lowest-versions.txt").read_bytes())
print(digest.hexdigest())
PYTHON
}

prepare_environment() {
    local extra="${1:-}" found stamp wanted="$root" constraints=()
    venv="$root/.venv"
    if [ "${lowest:-}" = yes ]; then
        venv="$root/.venv-lowest"
        constraints=(--constraint "$root/scripts/lowest-versions.txt")
    fi
    python="$venv/bin/python"
    if ! "$python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
        found="$(find_python)" || return 1
        if [ -e "$venv" ]; then
            say "the virtual environment $venv does not work any more: making it again with $found"
        else
            say "making a virtual environment in $venv with $found ($("$found" --version))"
        fi
        "$found" -m venv --clear "$venv" || return 1
    fi

    # With an extra everything is installed that is needed without one.
    stamp="$(installation_stamp)" || return 1
    if [ "$(cat "$venv/.installed-$extra" 2>/dev/null)" = "$stamp" ]; then return 0; fi
    if [ -z "$extra" ] && [ "$(cat "$venv/.installed-test" 2>/dev/null)" = "$stamp" ]; then return 0; fi
    if [ -n "$extra" ]; then wanted="$root[$extra]"; fi
    say "installing the project into $venv"
    "$python" -m pip install --quiet --disable-pip-version-check \
        ${constraints[@]+"${constraints[@]}"} --editable "$wanted" >&2 || {
        say "error: the installation failed; is there a network connection?"
        return 1
    }
    printf '%s\n' "$stamp" >"$venv/.installed-$extra"
}

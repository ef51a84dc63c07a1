#!/bin/sh
# Makes .venv with everything that development needs, from the lock alone. Repeatable: what is
# already there and unchanged is left alone. Last line: the verdict.
set -eu

cd "$(dirname "$0")/.."
venv=.venv
lock=requirements/dev.txt
locked="$venv/locked.txt" # the lock that was installed
linked="$venv/linked.txt" # where from, and by which pyproject.toml, the package was linked

stop() {
    printf 'setup: FAILED: %s\n' "$1"
    exit 1
}

# Succeeds when $1 is a Python that this project runs on.
new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

# Names the one command that brings the system's missing part, for the package manager at hand.
remedy() {
    become=""
    [ "$(id -u)" = 0 ] || become="sudo "
    if command -v apt-get >/dev/null 2>&1; then
        printf '%sapt-get install -y %s' "$become" "$1"
    elif command -v dnf >/dev/null 2>&1; then
        printf '%sdnf install -y python3.12' "$become"
    elif command -v apk >/dev/null 2>&1; then
        printf '%sapk add python3' "$become"
    elif command -v brew >/dev/null 2>&1; then
        printf 'brew install python@3.12'
    else
        printf 'install Python 3.11 or newer, then: make setup'
    fi
}

find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
        if command -v "$candidate" >/dev/null 2>&1 && new_enough "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    return 1
}

make_venv() {
    python=$(find_python) ||
        stop "Python 3.11 or newer is not here. This fixes it: $(remedy 'python3 python3-venv')"
    "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 ||
        stop "$python cannot make environments. This fixes it: $(remedy python3-venv)"
    "$python" -m venv --clear "$venv" ||
        stop "$python could not make $venv: read the lines above, then: make setup"
}

link() {
    printf '%s\n' "$PWD"
    cat pyproject.toml
}

# An environment that was moved, broken off half-way or made by a Python since removed is made anew.
if ! new_enough "$venv/bin/python" || ! "$venv/bin/python" -m pip --version >/dev/null 2>&1 ||
    ! link | head -n 1 | cmp -s - "$venv/home.txt"; then
    make_venv
    link | head -n 1 >"$venv/home.txt"
fi

pip="$venv/bin/python -m pip --disable-pip-version-check --no-input"
if ! cmp -s "$lock" "$locked"; then
    echo "setup: installing the locked packages (the first time takes a minute or two)"
    rm -f "$locked"
    $pip install --quiet --require-hashes --requirement "$lock" ||
        stop "the packages of $lock were not all installed: check the network, then: make setup"
    cp "$lock" "$locked"
fi

if ! link | cmp -s - "$linked"; then
    $pip install --quiet --no-deps --no-build-isolation --editable . ||
        stop "tongbao was not linked into $venv: read the lines above, then: make setup"
    link >"$linked"
fi

printf 'setup: %s is ready (%s)\n' "$venv" "$("$venv/bin/python" --version)"

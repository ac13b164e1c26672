#!/bin/sh
# Makes .venv, once, and lets scripts/setup.py fill it. Usage: sh scripts/setup.sh [EXTRA...]
# PYTHON chooses the interpreter; TORCH=cuda asks for the CUDA build of torch.
set -eu
cd "$(dirname "$0")/.."
unset PYTHONHOME PYTHONPATH

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

can_make_environments() {
    is_new_enough "$1" && "$1" -c 'import venv, ensurepip' >/dev/null 2>&1
}

find_python() {
    # The usual one first; it counts only if it runs (a version manager's stub may not).
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
        if can_make_environments "$candidate"; then
            command -v "$candidate"
            return 0
        fi
    done
    return 1
}

explain_no_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14 python}; do
        if is_new_enough "$candidate"; then
            echo "neuromem: $candidate lacks the venv module; on Debian or Ubuntu run: sudo apt install python3-venv" >&2
            return
        fi
    done
    echo "neuromem: no Python 3.11 or later among ${PYTHON:-python3, python3.11 to python3.14};" \
        "install one (https://www.python.org/downloads, or: brew install python@3.13)" \
        "or name it: PYTHON=/path/to/python make ..." >&2
}

# The marker is written last, so that an environment cut off half-way is made again.
if ! { [ -e .venv/made ] && is_new_enough .venv/bin/python; }; then
    if is_new_enough .venv/bin/python && .venv/bin/python -m pip --version >/dev/null 2>&1; then
        : # made by hand, and in order
    else
        python=$(find_python) || { explain_no_python; exit 1; }
        echo "neuromem: making .venv with $("$python" --version) ($python)"
        "$python" -m venv --clear .venv
    fi
    : >.venv/made
fi
exec .venv/bin/python scripts/setup.py "$@"

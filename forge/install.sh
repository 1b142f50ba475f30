#!/bin/sh
# install.sh DIRECTORY: install gitverify, as it is in the checkout that this file is part of, into DIRECTORY.
#
# Python runs with -I and away from the directory that the job is in, where modules of a pull request may lie.
set -eu

destination=$1
python=${PYTHON:-python3}
cd "$(dirname "$0")/.."

"$python" -I -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "gitverify: Python 3.11 or newer is needed; put it on PATH, or name it in PYTHON" >&2
    exit 2
}
"$python" -I -m venv "$destination"
"$destination/bin/python" -I -m pip install --quiet --disable-pip-version-check .

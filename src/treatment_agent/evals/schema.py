"""The JSON schema of dialogue files, for editors: `docs/dialogue.schema.json` is this, written out."""

from __future__ import annotations

import json
import sys

from treatment_agent.evals.dialogue import Dialogue


def schema() -> dict[str, object]:
    """The schema, in JSON Schema 2020-12."""
    made = Dialogue.model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Dialogue of treatment-agent",
        **{key: value for key, value in made.items() if key != "title"},
    }


def schema_text() -> str:
    """The schema as it is published."""
    return json.dumps(schema(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(schema_text())

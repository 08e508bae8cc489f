"""What a JavaScript module answers, asked in the Node that Playwright brings."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from playwright._impl._driver import compute_driver_executable

from unet_edu.explore.page import bundled


def answers(module: str, expression: str, arguments: list[Any], folder: Path) -> list[Any]:
    """The values of `expression`, in which the names of the module hold, for each `argument`."""
    script, given = folder / "ask.mjs", folder / "arguments.json"
    given.write_text(json.dumps(arguments))
    script.write_text(
        f"{bundled(module)}\nimport {{ readFileSync }} from 'node:fs';\n"
        f"const given = JSON.parse(readFileSync({json.dumps(str(given))}));\n"
        f"console.log(JSON.stringify(given.map(argument => {expression})));"
    )
    node, _ = compute_driver_executable()
    said = subprocess.run([node, script], capture_output=True, text=True, check=False)
    if said.returncode:
        raise RuntimeError(said.stderr)
    return json.loads(said.stdout)

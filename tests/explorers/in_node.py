"""The modules of explorers, run by the node that Playwright brings: no page, no browser."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from playwright._impl._driver import compute_driver_executable

from unet_edu.explore.page import bundled


def called(module: str, call: str, arguments: Iterable[Any], folder: Path, **given: Any) -> list[Any]:
    """What an expression of a module is for each of the arguments, which it knows as `it`; it knows `given`, too.

    Numbers and texts go through files as JSON, so none of them is rounded.
    """
    (folder / "given.json").write_text(json.dumps({"all": list(arguments), **given}))
    (folder / "program.mjs").write_text(
        f"""{bundled(module)}
        import {{ readFileSync, writeFileSync }} from "node:fs";
        const {{ all, ...given }} = JSON.parse(readFileSync("given.json", "utf8"));
        const found = [];
        for (const it of all) found.push({call});
        writeFileSync("found.json", JSON.stringify(found));"""
    )
    subprocess.run([compute_driver_executable()[0], "program.mjs"], cwd=folder, check=True)
    return json.loads((folder / "found.json").read_text())

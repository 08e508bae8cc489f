"""What tests do with the command `unet-edu`."""

from __future__ import annotations

from typer.testing import CliRunner

from unet_edu import cli


def run(*arguments: object, code: int = 0) -> str:
    """What a command says, on both channels. Errors are one line, and no traceback."""
    result = CliRunner().invoke(cli.app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert "Traceback" not in result.output
    return result.output


def complaint(*arguments: object) -> str:
    output = run(*arguments, code=1)
    assert output.startswith("unet-edu: ") and output.count("\n") == 1
    return output

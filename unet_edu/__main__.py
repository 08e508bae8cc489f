"""`python -m unet_edu` is the command `unet-edu`, also where that is not on the PATH."""

from unet_edu.cli import app

if __name__ == "__main__":
    app(prog_name="unet-edu")

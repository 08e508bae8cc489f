"""Stands in for the library that only Google Colab has, so that a notebook from there runs: what it asks for is not
here, and it is told so."""

from google.colab import auth, drive, files, output, patches, userdata

__all__ = ["auth", "drive", "files", "output", "patches", "userdata"]

"""Stands in for what each kernel on Colab has loaded before its first cell; `output` is what anywidget asks for
there."""

from google.colab import output

__all__ = ["output"]

"""The one place of vmha's version; setup.py, spec and debian read it as text."""

VERSION = "0.1.0"

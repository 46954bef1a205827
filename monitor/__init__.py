"""leakmon: a source-package leak monitor."""

__version__ = "0.1.0"

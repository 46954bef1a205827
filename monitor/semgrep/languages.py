"""Semgrep's languages and the endings by which it knows their files (its own ``lang.json``).

An ending that Semgrep does not know, but whose language it reads (``.mts``), is staged under one
that it does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SCRIPT = {".js": ".js", ".jsx": ".jsx", ".cjs": ".js", ".mjs": ".js", ".es6": ".js"}
_TYPED = {".ts": ".ts", ".tsx": ".tsx", ".mts": ".ts", ".cts": ".ts"}
_PYTHON = {".py": ".py", ".pyi": ".pyi", ".pyw": ".py", ".wsgi": ".py"}
_SHELL = {".sh": ".sh", ".bash": ".bash"}
_YAML = {".yml": ".yml", ".yaml": ".yaml"}
_C = {".c": ".c", ".h": ".h"}
_CPP = {".cc": ".cc", ".cpp": ".cpp", ".cxx": ".cpp", ".hpp": ".hpp", ".hh": ".hpp", ".h": ".h"}
_DOCKER = {".dockerfile": ".dockerfile", "dockerfile": ".dockerfile"}
_ELIXIR = {".ex": ".ex", ".exs": ".exs"}
_TERRAFORM = {".tf": ".tf", ".hcl": ".hcl", ".tfvars": ".tfvars"}
_OBJECTIVE_C = {".m": ".m", ".mm": ".m"}
_KOTLIN = {".kt": ".kt", ".kts": ".kts", ".ktm": ".ktm"}

ENDINGS: dict[str, dict[str, str]] = {
    "apex": {".cls": ".cls"},
    "bash": _SHELL,
    "sh": _SHELL,
    "c": _C,
    "c#": {".cs": ".cs"},
    "csharp": {".cs": ".cs"},
    "c++": _CPP,
    "cpp": _CPP,
    "cairo": {".cairo": ".cairo"},
    "circom": {".circom": ".circom"},
    "clojure": {".clj": ".clj", ".cljs": ".cljs", ".cljc": ".cljc", ".edn": ".edn"},
    "dart": {".dart": ".dart"},
    "docker": _DOCKER,
    "dockerfile": _DOCKER,
    "elixir": _ELIXIR,
    "ex": _ELIXIR,
    "fga": {".fga": ".fga"},
    "go": {".go": ".go"},
    "golang": {".go": ".go"},
    "gosu": {".gs": ".gs"},
    "hack": {".hack": ".hack"},
    "hcl": _TERRAFORM,
    "html": {".html": ".html", ".htm": ".htm"},
    "java": {".java": ".java"},
    "javascript": _SCRIPT,
    "js": _SCRIPT,
    "json": {".json": ".json"},
    "jsonnet": {".jsonnet": ".jsonnet", ".libsonnet": ".libsonnet"},
    "julia": {".jl": ".jl"},
    "kotlin": _KOTLIN,
    "kt": _KOTLIN,
    "lisp": {".lisp": ".lisp", ".cl": ".cl", ".el": ".el"},
    "lua": {".lua": ".lua"},
    "move_on_aptos": {".move": ".move"},
    "move_on_sui": {".move": ".move"},
    "objc": _OBJECTIVE_C,
    "objective-c": _OBJECTIVE_C,
    "objectivec": _OBJECTIVE_C,
    "ocaml": {".ml": ".ml", ".mli": ".mli"},
    "openfga": {".fga": ".fga"},
    "php": {".php": ".php", ".tpl": ".tpl", ".phtml": ".phtml"},
    "powershell": {".ps1": ".ps1", ".psm1": ".ps1"},
    "promql": {".promql": ".promql"},
    "proto": {".proto": ".proto"},
    "proto3": {".proto": ".proto"},
    "protobuf": {".proto": ".proto"},
    "py": _PYTHON,
    "python": _PYTHON,
    "python2": _PYTHON,
    "python3": _PYTHON,
    "r": {".r": ".r"},
    "ruby": {".rb": ".rb"},
    "rust": {".rs": ".rs"},
    "scala": {".scala": ".scala"},
    "scheme": {".scm": ".scm", ".ss": ".ss"},
    "sol": {".sol": ".sol"},
    "solidity": {".sol": ".sol"},
    "swift": {".swift": ".swift"},
    "terraform": _TERRAFORM,
    "tf": _TERRAFORM,
    "ts": _TYPED,
    "typescript": _TYPED,
    "vue": {".vue": ".vue"},
    "xml": {".xml": ".xml", ".plist": ".plist"},
    "yaml": _YAML,
}


def endings(languages: Iterable[str]) -> dict[str, str]:
    """The endings to stage for rules in these languages, each with the one to stage it under."""
    wanted: dict[str, str] = {}
    for language in languages:
        wanted |= ENDINGS.get(language.lower(), {})
    return wanted


def samples(language: str) -> list[str]:
    """Endings under which a text in this language can be staged, the plainest first."""
    return list(dict.fromkeys(ENDINGS.get(language.lower(), {".txt": ".txt"}).values()))

"""The causes of incidents about what strangers publish: also the kinds and rules of findings."""

from __future__ import annotations

LOOKALIKE = "lookalike"
"""A name that can be taken for one of ours."""
CONFUSION = "dependency-confusion"
"""An internal name on a public registry, published by somebody else."""
COPY = "copy"
"""What leaked in an incident, published again by somebody else."""

IMPOSTORS = frozenset({LOOKALIKE, CONFUSION, COPY})

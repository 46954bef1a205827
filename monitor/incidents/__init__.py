"""From settled reports to incidents: one per package and cause, over all its versions.

Pure: no clock, no network, no database. ``changes`` turns the report on one artifact into
incidents as they are to stand and the events which made them so; ``acted`` applies what a person
decided, ``verified`` what the registry says now, ``woken`` the end of a snooze. Each gives an
``IncidentChange`` for the store to keep in one transaction.

An incident is a fold over what was observed: the same reports settled in any order, or once more,
give the same incidents. What a person decided in between counts from then on.

``detail`` of an incident is JSON and holds no secret:

``observations``  the worst artifacts (at most six), worst first: see ``monitor.incidents.observed``
``published``     version -> the registry's time (ISO 8601), where known
``clean_before``  how many versions before the first bad one were inspected and free of it
``last_clean_at``  when the last of them was published (ISO 8601, empty where unknown)
``is_served_told``  whether it was told that it is served although it was resolved
``impostor``  what a stranger's package imitates, and who published it (see ``impostors``)
``cdn``           what CDNs list of its versions (see ``outliving``)
``settled_at``    when it was resolved or judged a false positive (ISO 8601)
"""

from __future__ import annotations

from monitor.incidents.actions import ACTIONS, acted, taken_down, verified, woken
from monitor.incidents.causes import VANISHED, Cause, causes
from monitor.incidents.changing import changes
from monitor.incidents.identity import event_id, incident_id
from monitor.incidents.kinds import CONFUSION, COPY, IMPOSTORS, LOOKALIKE

__all__ = [
    "ACTIONS",
    "CONFUSION",
    "COPY",
    "IMPOSTORS",
    "LOOKALIKE",
    "VANISHED",
    "Cause",
    "acted",
    "causes",
    "changes",
    "event_id",
    "incident_id",
    "taken_down",
    "verified",
    "woken",
]

"""An organisation's private code as fingerprints on disk: made on its own machines, asked by scans.

A *store* is a set of immutable, sorted segments of postings and one SQLite snapshot of what the
postings speak of; ``manifest.json`` names the store in force and is replaced as one. Everything is
keyed with the organisation's key. ``reader`` answers, ``writer`` adds, ``walk`` reads repositories,
``public`` learns what everybody has, ``sketch`` makes what may leave the organisation.
"""

"""Text becomes tokens, a section at a time: arrays of kinds, hashes and lines.

A regular expression only cuts a text into code, strings, comments and the like; words and
operators of the code are found by numpy over its bytes. Time is linear in the text whatever it
holds: every alternative of every expression keeps what it has looked at. A section holds at most
some two MiB of text, so memory does not grow with the file.
"""

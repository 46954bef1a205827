"""The steps in order: fetch, scan, judge. Nothing here reads a clock or the environment."""

"""Whether a package contains what is ours: fingerprints of private repositories, and matching.

``prints`` holds the nouns that the rooms share. Fingerprinting says what a text's prints are,
``index`` keeps those of the private repositories, matching holds an artifact's against them.
"""

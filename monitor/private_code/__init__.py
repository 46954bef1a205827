"""Whether a package contains what is ours: fingerprints of private repositories, and matching.

``prints`` holds the nouns that the rooms share. Fingerprinting says what a text's prints are,
``index`` keeps those of the private repositories, matching holds an artifact's against them.
"""

import os

# numpy's linear algebra, of which nothing is used here, starts a thread for each core when it is
# loaded: they cost a tenth of a second, and a fork does not take them along.
os.putenv("OPENBLAS_NUM_THREADS", "1")

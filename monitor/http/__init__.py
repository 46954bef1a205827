"""The only way out: limits, retries, pace, credentials and no private addresses unless configured.

``settings`` what an operator may set, ``guard`` which addresses may be talked to, ``pace`` how
often and when again, ``client`` one request with all of that, ``download`` a file with its digests.
"""

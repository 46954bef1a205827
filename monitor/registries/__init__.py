"""Targets become releases, releases become bytes.

``targets`` reads what the operator wrote (pure and light), ``network`` resolves and fetches. One
module per registry; ``client_config`` reads what pip and npm are told of addresses and credentials.
"""

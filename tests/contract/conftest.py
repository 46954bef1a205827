from tests.contract.databases import clock, databases, empty_url, kind, store, url

__all__ = ["clock", "databases", "empty_url", "kind", "store", "url"]

"""Everything about Tor: keys of onion services, configurations, running tors, and a private network for tests."""

"""A whole drop, run as processes and reached as people reach it."""

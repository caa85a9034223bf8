"""The steps that lead to the outbox's tables; written once, never changed after a release."""

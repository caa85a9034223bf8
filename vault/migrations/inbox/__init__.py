"""The steps that lead to the inbox's tables; written once, never changed after a release."""

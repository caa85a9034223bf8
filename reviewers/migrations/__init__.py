"""The steps that lead to the reviewers' tables; written once, never changed after a release."""

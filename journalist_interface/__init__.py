"""The pages that reviewers meet: what is new, bags out and back, accounts, keys and the audit."""

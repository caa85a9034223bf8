"""What reviewers did, as a signed log on the air-gapped workstation, and the views that are folded from it."""

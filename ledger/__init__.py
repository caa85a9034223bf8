"""What proves when sealed bytes arrived and that they did not change: entries, proofs, checkpoints and promises."""

"""The reviewer's program on the air-gapped machine: bags in, verdicts, replies, bags out, and never a network."""

"""The pages that a source meets: begin, send, come back with a codename, read replies, leave."""

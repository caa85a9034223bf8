"""What crosses the air gap: BagIt bags (RFC 8493) in a tar of one form, out with submissions, back with replies."""

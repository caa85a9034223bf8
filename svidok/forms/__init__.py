"""What `svidok form` does: each module only what its actions need, so that an admin needs no expert's tools."""

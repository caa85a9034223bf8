"""What `svidok doctor` looks at."""

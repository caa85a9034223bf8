"""The word lists that numbers are written in; README.md beside this file says whose they are."""

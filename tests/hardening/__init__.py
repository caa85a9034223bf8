"""Tests of the defences."""

"""The journey's own browser: tests and the demo meet the pages in the same way."""

from svidok.journey.browser import Browser, Chosen, Form, Page, parsed, unix_client

__all__ = ["Browser", "Chosen", "Form", "Page", "parsed", "unix_client"]

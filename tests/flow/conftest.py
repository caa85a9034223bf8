"""The same house as the source interface's own tests use."""

from tests.source_interface.conftest import house, keyring, make_house

__all__ = ["house", "keyring", "make_house"]

"""The same house as the source interface's own tests use, and the real process of a drop."""

from tests.flow.processes import place
from tests.source_interface.conftest import house, keyring, make_house

__all__ = ["house", "keyring", "make_house", "place"]

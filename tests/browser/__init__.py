"""Both sites in real browsers."""

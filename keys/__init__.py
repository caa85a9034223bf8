"""Keys: whose they are, who may vouch for them, sealing to them and opening with them."""

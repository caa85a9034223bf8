"""How each process of a drop is put together from its parts."""

"""The root of every refusal that this package makes."""


class HardeningError(Exception):
    """A defence refused something, or could not be put up."""

"""What can be wrong with a settings file."""


class SettingsError(Exception):
    """The settings file is missing, or a line of it cannot be meant."""

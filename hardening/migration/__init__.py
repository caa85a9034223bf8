"""The one environment in which every store's migrations run."""

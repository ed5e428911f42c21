"""What a computation with a cache may be refused for."""


class UnsafeFolder(PermissionError):
    """Others can write to the folder of a cache."""


class NothingToKeep(ValueError):
    """None of the cells that are to be computed says that it may be kept."""

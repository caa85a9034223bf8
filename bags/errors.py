"""What can be wrong with a bag, each kind named by what is wrong."""


class BagsError(Exception):
    """Something about a bag is wrong."""


class LayoutError(BagsError):
    """These files cannot be put into a bag."""


class PayloadChangedError(LayoutError):
    """A file is not the one that the bag was laid out for."""


class ArchiveError(BagsError):
    """The tar is not in the one form that we write."""


class NoBagError(ArchiveError):
    """A file does not even begin as every bag of ours does."""


class ManifestError(BagsError):
    """The tag files of a bag are malformed or contradict each other."""


class PayloadError(BagsError):
    """A payload file is missing, too many, or not what the manifest says."""


class TooLargeError(BagsError):
    """A bag is larger than the reader allows."""


class ContentError(BagsError):
    """The index of a bag is malformed, or does not fit what lies beside it."""


class BagSignatureError(BagsError):
    """A return bag is not signed by whom it says, or speaks to another drop."""

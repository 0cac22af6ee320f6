"""Take secrets and people's data out of what we write."""

from runner.redact.classes import DATA_CLASS, classified, is_classified, mask
from runner.redact.redactor import MASK, Redactor

__all__ = ["DATA_CLASS", "MASK", "Redactor", "classified", "is_classified", "mask"]

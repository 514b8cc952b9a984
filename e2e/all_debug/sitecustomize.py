"""On PYTHONPATH: in every Python process every logger is at DEBUG, whatever it was told."""

import logging

logging.Logger.getEffectiveLevel = lambda self: logging.DEBUG  # type: ignore[method-assign]
logging.Logger.isEnabledFor = lambda self, level: True  # type: ignore[method-assign]

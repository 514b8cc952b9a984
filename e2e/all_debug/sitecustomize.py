"""On PYTHONPATH: in every Python process every logger is at DEBUG, whatever it was told.

With UNFILTERED set, lines are also written as their logger gave them, past messenger/logs.py.
"""

import logging.config
import os
from typing import Any

logging.Logger.getEffectiveLevel = lambda self: logging.DEBUG  # type: ignore[method-assign]
logging.Logger.isEnabledFor = lambda self, level: True  # type: ignore[method-assign]


def configure(config: Any) -> None:
    """Each formatter becomes the plainest."""
    plain = {name: {"format": "%(message)s"} for name in config.get("formatters", {})}
    logging.config.DictConfigurator(config | {"formatters": plain}).configure()


if "UNFILTERED" in os.environ:
    logging.config.dictConfig = configure

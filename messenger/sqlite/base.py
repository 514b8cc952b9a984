"""SQLite that does not open what it can't write.

SQLite opens a file on a read-only disk for reading. All connections of a process share what it maps of the
write-ahead log, so each that is opened later is read-only too for as long as one of them lives, also when the
disk is writable again: nothing would ever be stored any more. Refused, the next try begins anew.
"""

import os
from typing import Any

from django.db.backends.sqlite3 import base
from django.db.utils import OperationalError


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with the check that stands above."""

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A new connection; OperationalError where the file is there and can't be written."""
        path = conn_params["database"]
        if os.path.exists(path) and not os.access(path, os.W_OK):
            raise OperationalError("the database file can't be written")
        return super().get_new_connection(conn_params)

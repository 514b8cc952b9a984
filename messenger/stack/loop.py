"""Twisted's reactor on uvloop, which is asyncio's loop in C. To be imported before anything of Daphne.

Daphne keeps an asyncio reactor that it finds. Each delivered message costs a quarter less (docs/decisions/9).
"""

import uvloop
from twisted.internet import asyncioreactor

asyncioreactor.install(uvloop.new_event_loop())  # type: ignore[no-untyped-call]

"""The promises of Quarter, in a real browser against the really started stack. `make e2e` runs them.

They share no pytest run with the server's tests: Playwright's sync API and pytest-asyncio don't go together.
"""

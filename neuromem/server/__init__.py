"""The server: mem0's REST API, and a memory service of our own, over one store.

    HTTP ──► auth, limits, metrics ──► routes/, mcp/ ──► service.py ──► Memory
                                                             │
                                         entries, filters ◄──┴──► desk (keys, events: one SQLite file)

`app.create_app` makes the ASGI app; `neuromem serve` runs it.
"""

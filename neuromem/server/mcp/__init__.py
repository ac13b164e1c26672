"""The memory for agents that speak the Model Context Protocol (MCP), with mem0's names of tools.

    stdio ──────────────► tools.py ──► memories.py ──► Service
    HTTP, /mcp ──► door.py ──► tools.py            (in a server: behind its keys)
    stdio ──► bridge.py ──► /mcp of a server that runs

The package `mcp` is loaded when one of these modules is.
"""

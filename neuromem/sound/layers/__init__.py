"""Layers of protection, each a small class that can be put together with the others.

`crc` finds damage, `interleave` spreads it, `reedsolomon` heals a few bytes of a packet, `erasure`
rebuilds packets that are gone; `ldpc` decodes what a modem is not sure of.
"""

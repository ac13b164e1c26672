"""Layers of protection: each a small class that adds redundancy to bytes and takes it away again."""

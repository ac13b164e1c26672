"""What the commands do: one module for each group, imported when one of its commands runs."""

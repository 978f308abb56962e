"""Layers stacked into the tree a container sees."""

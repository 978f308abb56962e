"""A layout's image that several test files take apart."""

from __future__ import annotations

from image_builder import file, image, layer, whiteout

BASE = layer(file("/a", b"1"), file("/b", b"22"))
TOP = layer(whiteout("/b"), file("/a", b"333"))
SAMPLE = image(BASE, TOP, names=["1.0"])
SAMPLE_CHANGES = ["0 A /a", "0 A /b", "1 M /a", "1 D /b"]
ONE_LAYER = image(BASE, names=["1.0"])
"""For linux/amd64; the other is the same image for another platform."""
ARM64 = image(BASE, TOP, names=["1.0"], platform="linux/arm64/v8")

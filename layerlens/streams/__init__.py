"""Byte streams: checked against digests, decompressed, cut into tar members; opens nothing."""

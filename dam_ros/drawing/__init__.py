"""Regions shown on a picture: outlines, numbers and captions, as pixels and as primitives for viewers."""

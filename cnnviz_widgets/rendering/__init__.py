"""From the numbers of a layer to codes, colours and pictures; NumPy only.

Comes after inspection (float32 maps of shape (C, H, W)) and before streaming (bytes on the wire).
"""

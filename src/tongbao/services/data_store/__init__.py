"""Keep: ciphertext of whoever has a space, without a key to any of it."""

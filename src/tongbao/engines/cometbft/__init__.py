"""The CometBFT engine: many institutions agree on the order, and each decides for itself."""

"""Random histories of the market for data alone, and how often each thing that may happen did."""

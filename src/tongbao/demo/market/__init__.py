"""The market of data, played on real input: real purchases of eggs, generated badminton."""

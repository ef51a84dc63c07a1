"""The rows of one height, cut into chunks that are each verified alone."""

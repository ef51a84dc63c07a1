"""A network of real nodes under faults: nothing acknowledged is lost, doubled or out of order."""

"""Who orders blocks: engines drive a `Machine` and know nothing of what it decides."""

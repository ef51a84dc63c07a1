"""A shop's or club's program: each month it attests to its customers what it knows of them."""

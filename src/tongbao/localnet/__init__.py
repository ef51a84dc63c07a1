"""A network of real nodes on one machine: laid out, run, changed and watched."""

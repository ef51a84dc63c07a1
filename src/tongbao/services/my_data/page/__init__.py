"""The person's page: served to the browser of the same machine, and to nobody else."""

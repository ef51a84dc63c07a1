"""A real node, killed again and again under load: nothing acknowledged is lost or doubled."""

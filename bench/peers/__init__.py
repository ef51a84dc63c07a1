"""What a user would pick instead, measured beside Tongbao in the same session."""

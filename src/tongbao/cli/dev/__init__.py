"""`tongbao dev`: a throw-away chain whose modules are loaded anew while one edits them."""

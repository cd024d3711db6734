"""A proposed change: what it comes to against the base that it would go to, told in Markdown."""

"""What the page shows and says: the panels' common parts, the attributes, the languages, and what was measured."""

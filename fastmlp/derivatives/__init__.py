"""Every derivative: as pure functions of the parameters, as operators, and as methods of a network."""

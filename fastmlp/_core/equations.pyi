# No Python face: called from lm.

# No Python face: called from curvature.

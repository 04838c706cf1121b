# No Python face: called from curvature and jacobian.

# No Python face: the recursions are called from batch and train.

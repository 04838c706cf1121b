"""Tables on disk: read, understood, fitted, predicted."""

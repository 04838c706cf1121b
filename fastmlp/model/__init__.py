"""What a network is: its layers, activations and loss, its parameters, their names, files and units."""

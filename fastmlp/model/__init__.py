"""What a network is: its layers, activations and loss, its parameters, their names, files and units.

model         an architecture with its numbers: copies, equality
params        the numbers: a vector, its views, its units, what is deleted
pickled       its state in pickles; text: as a line and a table
units         standardised inputs and targets, and the way into the weights and back
moments       means, deviations and ends of columns
traces        what every layer computes: z, a, delta
functional    outputs and losses as pure functions of (architecture, params, X, T)
initializers  starting values
io            files; archive: what a file of arrays is
rescaling     linear maps of inputs and outputs, carried over to the parameters
chunked       samples that are read chunk by chunk, sums over chunks; chunks: where these come from
spread        chunks on the workers of a Dask cluster; sums: trees of parts; reading: errors of chunks by number
maps          memory maps and the room on disk; row_groups: chunks of a Parquet file
selection     parameters by name
architecture  layers, activations and loss without numbers, and the order of the parameters
arguments     what users say of it, checked; names: of inputs and classes
convolution   layers of maps, and pools
layers        kinds of layers, and their records
targets       targets brought into the form that kernels read, with their measurement errors
losses        what each loss is; moderation: its outputs where logits are normally distributed
activations   what each activation is
"""

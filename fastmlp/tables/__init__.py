"""Tables on disk: read, understood, fitted, predicted.

fitting         `fit`: from a frame to a model
by_evidence     sizes chosen by the evidence, intervals by rows not seen
by_validation   sizes chosen by rows
problem         what is asked of them
model           `TableModel`, and its file
rows            which rows are kept back
columns         what columns are, and their coding
temperature     probabilities of classes, calibrated
reading         files of tables
entries         the entries of a column
"""

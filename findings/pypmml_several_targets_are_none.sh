#!/usr/bin/env bash
# pypmml 1.5.8: a neural network of two targets, as sklearn2pmml writes it, gives None, without a message.
#
# Model.targetNames has both, and the NeuralOutputs name both, but the prediction is one field, predicted_y1, which is None. With an
# Output whose fields name the targets (feature="predictedValue" targetField="y1") both numbers come. JPMML gives both either way.
# Guessed before the run: both numbers, or an error.
# Seen (Python 3.11, Java 17): {'predicted_y1': None}; with Output {'o1': 2.5, 'o2': -1.0}.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
python3 -m venv env
env/bin/pip install --quiet pypmml==1.5.8
cat >program.py <<'PROGRAM'
from pypmml import Model

FIELDS = "".join(f'<DataField name="{name}" optype="continuous" dataType="double"/>' for name in ("x", "y1", "y2"))
OUTPUT = "".join(
    f'<OutputField name="o{k}" optype="continuous" dataType="double" feature="predictedValue" targetField="y{k}"/>'
    for k in (1, 2)
)
DERIVED = '<DerivedField optype="continuous" dataType="double"><FieldRef field="{}"/></DerivedField>'


def predicted(output):
    outputs = "".join(f'<NeuralOutput outputNeuron="n{k}">{DERIVED.format(f"y{k}")}</NeuralOutput>' for k in (1, 2))
    with open("net.pmml", "w") as file:
        file.write(
            f'<PMML xmlns="http://www.dmg.org/PMML-4_4" version="4.4"><Header/><DataDictionary>{FIELDS}</DataDictionary>'
            '<NeuralNetwork functionName="regression" activationFunction="identity"><MiningSchema><MiningField name="x"/>'
            '<MiningField name="y1" usageType="target"/><MiningField name="y2" usageType="target"/></MiningSchema>'
            f'{output}<NeuralInputs><NeuralInput id="i">{DERIVED.format("x")}</NeuralInput></NeuralInputs><NeuralLayer>'
            '<Neuron id="n1" bias="0.5"><Con from="i" weight="2"/></Neuron><Neuron id="n2"><Con from="i" weight="-1"/>'
            f"</Neuron></NeuralLayer><NeuralOutputs>{outputs}</NeuralOutputs></NeuralNetwork></PMML>"
        )
    return dict(Model.load("net.pmml").predict({"x": 1.0}))  # a Java map, until the engine is closed


plain, named = predicted(""), predicted(f"<Output>{OUTPUT}</Output>")
print("as sklearn2pmml writes it:", plain, "with Output:", named)
Model.close()
assert plain == {"predicted_y1": None}
assert named == {"o1": 2.5, "o2": -1.0}
PROGRAM
env/bin/python program.py

"""Models as Keras writes them, and their outputs as it computes them: see README.md."""

import io
import os
import zipfile

os.environ.setdefault("KERAS_BACKEND", "torch")

import h5py
import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(0)
expected = {}


def written(name, model, shape, dtype="float32"):
    """Save a model of random weights, and what it makes of random inputs after it has been read again."""
    values = [np.abs(rng.normal(size=each.shape)) + 0.1 for each in model.get_weights()]
    model.set_weights([v * rng.choice([-1, 1], v.shape) if v.ndim > 1 else v for v in values])
    model.save(name)
    X = rng.normal(1.0, 1.0, size=(7, *shape)).astype(dtype)
    expected[f"{name} X"] = X
    expected[f"{name} Y"] = np.asarray(keras.models.load_model(name).predict(X, verbose=0))
    for number, each in enumerate(model.get_weights()):
        expected[f"{name} {number}"] = each


x = layers.Input((3,), name="measured")
y = layers.Normalization(name="b")(x)
y = layers.Dense(4, activation="tanh", name="z")(y)
model = keras.Model(x, layers.Dense(3, activation="softmax", name="a")(y))
model.compile("sgd", loss="sparse_categorical_crossentropy")
written("functional.keras", model, (3,))

model = keras.Sequential([layers.Input((6, 5, 2)), layers.Conv2D(3, (3, 2), padding="same", activation="relu")])
for each in (layers.MaxPooling2D((2, 2)), layers.Flatten(), layers.Dense(2)):
    model.add(each)
written("images.keras", model, (6, 5, 2))

keras.config.set_dtype_policy("float64")
model = keras.Sequential([layers.Input((2,), dtype="float64"), layers.Dense(3, activation="swish", use_bias=False)])
for each in (layers.Rescaling([2.0, 0.5, 1e3], [0.0, 1.0, 1e4]), layers.Dense(2, activation="sigmoid")):
    model.add(each)
model.compile("sgd", loss="mean_squared_error")
written("double.keras", model, (2,), "float64")
keras.config.set_dtype_policy("float32")

model = keras.Sequential([layers.Input((9, 2)), layers.Conv1D(3, 4, strides=2)])
for each in (layers.BatchNormalization(), layers.ELU(), layers.GlobalAveragePooling1D()):
    model.add(each)
model.add(layers.Dense(1, activation="exponential"))
written("signals.h5", model, (9, 2))

inner = keras.Sequential([layers.Input((2,)), layers.Dense(3, activation="gelu"), layers.Dropout(0.1)])
model = keras.Sequential([layers.Input((2,)), inner, layers.Dense(1)])
written("nested.keras", model, (2,))

model = keras.Sequential([layers.Input((2,)), layers.Lambda(lambda x: 2 * x, name="twice"), layers.Dense(1)])
model.save("lambda.keras")

np.savez_compressed("expected.npz", **expected)


# ---- files that lead elsewhere, or are not what they seem ----

KERNEL = "layers/dense/vars/0"
SECRET = np.full((3, 4), 42.0, "f4")
source = h5py.VirtualSource("secret.h5", "secret", (3, 4))
layout = h5py.VirtualLayout((3, 4), "f4")
layout[...] = source


def external_link(opened):
    opened[KERNEL] = h5py.ExternalLink("secret.h5", "/secret")


def soft_link(opened):
    opened[KERNEL] = h5py.SoftLink("/layers/dense_1/vars/0")


def not_finite(opened):
    opened[KERNEL] = np.full((3, 4), np.inf, "f4")


def misnamed(opened):
    opened[KERNEL] = SECRET
    opened["layers/dense/vars"].attrs["name"] = "a"


CHANGES = {
    "external_link": external_link,
    "soft_link": soft_link,
    "external_storage": lambda f: f.create_dataset(KERNEL, (3, 4), "f4", external=[("secret.bin", 0, 48)]),
    "virtual": lambda f: f.create_virtual_dataset(KERNEL, layout),
    "huge": lambda f: f.create_dataset(KERNEL, (3, 2**40), "f4", chunks=(1, 1024)),
    "packed": lambda f: f.create_dataset(KERNEL, data=SECRET, compression="gzip"),
    "unwritten": lambda f: f.create_dataset(KERNEL, (3, 4), "f4"),
    "integers": lambda f: f.create_dataset(KERNEL, data=SECRET.astype("i4")),
    "not_finite": not_finite,
    "group": lambda f: f.create_group(KERNEL),
    "nothing": lambda f: None,
    "misnamed": misnamed,
}
with zipfile.ZipFile("functional.keras") as opened:
    members = {each: opened.read(each) for each in opened.namelist()}


def changed(content, change):
    """The HDF5 with something else."""
    file = io.BytesIO(content)
    with h5py.File(file, "r+") as opened:
        change(opened)
    return file.getvalue()


def packed(weights):
    """A model with these weights."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as opened:
        for each, content in (members | {"model.weights.h5": weights}).items():
            opened.writestr(each, content)
    return file.getvalue()


def instead(change):
    """Without the first kernel, and then changed."""

    def both(opened):
        del opened[KERNEL]
        change(opened)

    return both


def linked(opened):
    opened.move("model_weights/dense_3", "elsewhere")
    opened["model_weights/dense_3"] = h5py.ExternalLink("secret.h5", "/")


def named_elsewhere(opened):
    opened["model_weights/dense_3"].attrs["weight_names"] = ["../conv1d/conv1d/bias", "dense_3/bias"]


def without_layers(opened):
    del opened.attrs["model_config"]


newest = io.BytesIO()
with h5py.File(newest, "w", libver="latest") as file:
    file["secret"] = SECRET
with open("signals.h5", "rb") as file:
    signals = file.read()
secret = io.BytesIO()
with h5py.File(secret, "w") as file:
    file["secret"] = SECRET
with zipfile.ZipFile("hostile.zip", "w", zipfile.ZIP_DEFLATED) as hostile:
    for name, change in CHANGES.items():
        hostile.writestr(f"{name}.keras", packed(changed(members["model.weights.h5"], instead(change))))
    hostile.writestr("newest.keras", packed(newest.getvalue()))
    for name, change in {"linked": linked, "elsewhere": named_elsewhere, "weights": without_layers}.items():
        hostile.writestr(f"{name}.h5", changed(signals, change))
    hostile.writestr("secret.h5", secret.getvalue())
    hostile.writestr("secret.bin", SECRET.tobytes())

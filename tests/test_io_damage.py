"""Files that are damaged, foreign or hostile: a ModelFormatError, in little memory, and nothing in them is executed."""

import io
import json
import pickle
import struct
import subprocess
import sys
import tracemalloc
import zipfile

import numpy as np
import pytest

import fastmlp
from cases import network
from fastmlp import ModelFormatError
from fastmlp.model.io import VERSION
from model_files import DIGEST, archive, seal

NET = network([1, 1])


def load(folder, content):
    path = folder / "net"
    path.write_bytes(content)
    return fastmlp.load(path)


def refused(folder, content):
    try:
        load(folder, content)
    except ModelFormatError:
        return True
    return False


def flipped(content):
    """The content with each of its bits flipped in turn."""
    for bit in range(8 * len(content)):
        changed = bytearray(content)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The bytes of the smallest network."""
    path = tmp_path_factory.mktemp("saved") / "net"
    NET.save(path)
    return path.read_bytes()


# ---- damage ----


def test_every_truncation_is_found(tmp_path, saved):
    assert all(refused(tmp_path, saved[:length]) for length in range(len(saved)))


def test_every_flipped_bit_is_found(tmp_path, saved):
    assert all(refused(tmp_path, changed) for changed in flipped(saved))


def test_additions_exchanges_and_losses_are_found(tmp_path, saved):
    head, tail = saved[:400], saved[400:]
    for damaged in (saved + b"\n", b"\n" + saved, saved + saved, tail + head, head + tail[1:], head + b"0" + tail):
        assert refused(tmp_path, damaged)


class Attack:
    """Leaves a trace when it is unpickled."""

    happened = False

    def __reduce__(self):
        return setattr, (Attack, "happened", True)


def numpy_file(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def numpy_archive(**arrays):
    file = io.BytesIO()
    np.savez(file, **arrays)
    return file.getvalue()


FOREIGN = {
    "nothing": b"",
    "text": b"layers: 1 1\n",
    "JSON": b'{"format": "fastmlp-network", "version": 1}',
    "zeros": bytes(1000),
    "noise": np.random.default_rng(0).bytes(1000),
    "a pickled network": pickle.dumps(NET),
    "a pickle that attacks": pickle.dumps(Attack()),
    "npy": numpy_file(np.zeros(2)),
    "npy with a pickle": numpy_file(np.array([Attack()]), allow_pickle=True),
    "npz": numpy_archive(params=np.zeros(2)),
    "empty zip": b"PK\5\6" + bytes(18),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_other_files_are_no_networks(tmp_path, name):
    with pytest.raises(
        ModelFormatError, match="path: expected a saved network or posterior with a checksum at its end"
    ):
        load(tmp_path, FOREIGN[name])
    assert not Attack.happened


LOAD_DEVICES = """
import resource
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
import fastmlp
for path in ("/dev/null", "/dev/zero"):
    try:
        fastmlp.load(path)
    except fastmlp.ModelFormatError:
        print("refused")
"""


def test_devices_are_no_networks_even_if_they_have_no_end():
    run = subprocess.run([sys.executable, "-c", LOAD_DEVICES], capture_output=True, text=True, timeout=100)
    assert run.stdout.split() == ["refused", "refused"]


def test_a_file_beyond_all_sizes_is_not_read(tmp_path):
    path = tmp_path / "huge"
    with open(path, "wb") as file:
        file.truncate(2**32 + 1)  # sparse: it takes no space
    with pytest.raises(ModelFormatError, match="at most 4294967296 bytes, got 4294967297"):
        fastmlp.load(path)


# ---- hostile files: the checksum is right ----


NETWORK = {"layers": [1, 1], "hidden": [], "output": "identity", "loss": "squared_error", "dtype": "float64"}
LISTED = {"format": "fastmlp-network", "version": 1, "producer": "fastmlp 9.9", "network": NETWORK}
MANIFEST = ("manifest.json", json.dumps(LISTED).encode())
PARAMS = ("params.npy", numpy_file(np.zeros(2)))


def manifest(**changes):
    """A file whose manifest is changed; None takes an item away."""
    items = {name: value for name, value in {**LISTED, **changes}.items() if value is not None}
    return archive(("manifest.json", json.dumps(items)), PARAMS)


def architecture(**changes):
    return manifest(network={**NETWORK, **changes})


def params(content):
    return archive(MANIFEST, ("params.npy", content))


def header(text, count=2, version=1):
    """An npy file with any header, before `count` numbers."""
    text = text.encode() + b" " * (-(len(text) + 11) % 64) + b"\n"
    return params(b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H", len(text)) + text + bytes(8 * count))


def claim(shape, descr="'<f8'", fortran=False, **options):
    return header(f"{{'descr': {descr}, 'fortran_order': {fortran}, 'shape': {shape}, }}", **options)


def patched(old, new, count=-1):
    """A good file with some bytes exchanged."""
    good = archive(MANIFEST, PARAMS)
    assert old in good[:-DIGEST]
    return seal(good.replace(old, new, count))


HOSTILE = {
    "nothing but a checksum": seal(b"sha256:" + bytes(DIGEST)),
    "no members": archive(),
    "no manifest": archive(PARAMS),
    "no parameters": archive(MANIFEST),
    "members exchanged": archive(PARAMS, MANIFEST),
    "two manifests": archive(MANIFEST, MANIFEST, PARAMS),
    "two parameters": archive(MANIFEST, PARAMS, PARAMS),
    "a third member": archive(MANIFEST, PARAMS, ("setup.py", b"raise SystemExit")),
    "a path upwards": archive(MANIFEST, ("../params.npy", PARAMS[1])),
    "an absolute path": archive(MANIFEST, ("/params.npy", PARAMS[1])),
    "a folder": archive(MANIFEST, ("params.npy/", b"")),
    "another case": archive(MANIFEST, ("PARAMS.npy", PARAMS[1])),
    "deflated": archive(MANIFEST, PARAMS, compression=zipfile.ZIP_DEFLATED),
    "bzip2": archive(MANIFEST, PARAMS, compression=zipfile.ZIP_BZIP2),
    "lzma": archive(MANIFEST, PARAMS, compression=zipfile.ZIP_LZMA),
    "a zip bomb": archive(MANIFEST, ("params.npy", bytes(5_000_000)), compression=zipfile.ZIP_DEFLATED),
    "a long manifest": archive((MANIFEST[0], MANIFEST[1] + b" " * 2**20), PARAMS),
    "names that differ": patched(b"params.npy", b"qarams.npy", 1),
    "a wrong member checksum": patched(numpy_file(np.zeros(2))[-16:], bytes(15) + b"\1"),
    "a size beyond the file": patched(struct.pack("<II", 144, 144), struct.pack("<II", 2**31, 2**31)),
    "two sizes": patched(struct.pack("<II", 144, 144), struct.pack("<II", 144, 2**20)),
    "a smaller size": patched(struct.pack("<II", 144, 144), struct.pack("<II", 143, 143)),
    "encryption": patched(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\x14\0\1"),
    "an unknown zip version": patched(b"PK\1\2\x14\3\x14\0\0", b"PK\1\2\x14\3\xff\0\0"),
    "an unknown compression": patched(b"PK\1\2\x14\3\x14\0\0\0\0\0", b"PK\1\2\x14\3\x14\0\0\0\x63\0"),
    # the parameters
    "empty npy": params(b""),
    "no npy": params(b"0.0 0.0"),
    "a pickle for npy": params(pickle.dumps(Attack())),
    "objects": params(numpy_file(np.array([Attack(), None]), allow_pickle=True)),
    "2^40 numbers": claim("(1099511627776,)"),
    "2^63 numbers": claim("(9223372036854775808,)"),
    "-1 numbers": claim("(-1,)"),
    "a scalar": claim("()", count=1),
    "a matrix": claim("(2, 1)"),
    "a shape that is true": claim("(True, True)"),
    "fewer numbers": claim("(1,)", count=1),
    "more numbers": claim("(3,)", count=3),
    "fewer numbers than said": claim("(2,)", count=1),
    "more numbers than said": claim("(2,)", count=3),
    "float32": claim("(2,)", "'<f4'", count=1),
    "swapped bytes": claim("(2,)", "'>f8'"),
    "integers": claim("(2,)", "'<i8'"),
    "complex": claim("(1,)", "'<c16'"),
    "records": claim("(2,)", "[('a', '<f8')]"),
    "references": claim("(2,)", "'|O'"),
    "Fortran order": claim("(2,)", fortran=True),
    "npy version 2": claim("(2,)", version=2),
    "npy version 9": claim("(2,)", version=9),
    "a header that is code": header("__import__('os').abort()"),
    "a header that does not end": header("{'descr': ("),
    "a header of brackets": header("(" * 5000),
    "a header from Python 2": claim("(2L,)"),
    # the manifest
    "an empty manifest": archive(("manifest.json", b""), PARAMS),
    "no JSON": archive(("manifest.json", b"layers = [1, 1]"), PARAMS),
    "no UTF-8": archive(("manifest.json", b'{"format": "\xff"}'), PARAMS),
    "a list": archive(("manifest.json", b"[1, 1]"), PARAMS),
    "null": archive(("manifest.json", b"null"), PARAMS),
    "brackets": archive(("manifest.json", b"[" * 1_000_000), PARAMS),
    "a number without end": archive(("manifest.json", b"1" * 1_000_000), PARAMS),
    "no format": manifest(format=None),
    "another format": manifest(format="keras"),
    "no version": manifest(version=None),
    "version 0": manifest(version=0),
    "version -1": manifest(version=-1),
    "version 1.0": manifest(version=1.0),
    "version '1'": manifest(version="1"),
    "version true": manifest(version=True),
    "version 10^4400": archive(("manifest.json", MANIFEST[1].replace(b": 1,", b": 1" + b"0" * 4400 + b",")), PARAMS),
    "no network": manifest(network=None),
    "a network of text": manifest(network="1-1"),
    "a network of names": manifest(network=list(NETWORK)),
    "an empty network": manifest(network={}),
    "an item more": architecture(rng=0),
    "an item less": manifest(network={name: NETWORK[name] for name in list(NETWORK)[1:]}),
    **{f"layers {layers}": architecture(layers=layers) for layers in
       (None, 1, "11", {}, [], [1], [0, 1], [-1, 1], [1, -1], [1.0, 1], [True, 1], [[1], 1], [None, 1], ["1", 1],
        [2, 1], [1, 1, 1], [2**63, 1], [2**32, 2**32], [2**20, 2**19], [float("inf"), 1], [float("nan"), 1])},
    "many layers": architecture(layers=[1] * 20_000, hidden="tanh"),
    **{f"hidden {hidden}": architecture(hidden=hidden) for hidden in (None, 1, ["tanh"], [1], {"tanh": 1}, "sigmoid")},
    **{f"output {output}": architecture(output=output) for output in (None, 1, "linear", ["identity"], "softmax")},
    **{f"loss {loss}": architecture(loss=loss) for loss in (1, "mse", "cross_entropy", ["squared_error"])},
    **{f"dtype {dtype}": architecture(dtype=dtype) for dtype in
       (None, 8, "float16", "f8", "<f8", "object", "a", "(2f8,f8", "f8,f8", [["a", "f8"]], {"names": []}, ["float64"])},
}  # fmt: skip


def test_the_files_that_are_made_hostile_below_would_load_otherwise(tmp_path):
    for content in (archive(MANIFEST, PARAMS), manifest(), architecture(), claim("(2,)")):
        assert load(tmp_path, content) == load(tmp_path, archive(MANIFEST, PARAMS))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_are_refused_in_little_memory(tmp_path, name):
    path = tmp_path / "net"
    path.write_bytes(HOSTILE[name])
    tracemalloc.start()
    try:
        with pytest.raises(ModelFormatError, match="path: expected"):
            fastmlp.load(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000 + 30 * len(HOSTILE[name])
    assert not Attack.happened


def test_a_file_of_a_newer_version_says_what_is_needed(tmp_path):
    newer = json.dumps({**LISTED, "version": VERSION + 1, "network": {"blocks": []}})
    for content in (manifest(version=VERSION + 1), archive(("manifest.json", newer), ("weights.npy", b""))):
        with pytest.raises(ModelFormatError, match=rf"got version {VERSION + 1}, written by 'fastmlp 9.9'; upgrade"):
            load(tmp_path, content)


def test_flipped_bits_of_the_archive_under_a_right_checksum_are_found_or_do_not_matter(tmp_path, saved):
    for changed in map(seal, flipped(saved)):
        assert refused(tmp_path, changed) or load(tmp_path, changed) == NET


def test_flipped_bits_of_a_member_under_right_checksums_make_another_network_or_none(tmp_path):
    for changed in flipped(MANIFEST[1]):
        content = archive((MANIFEST[0], changed), PARAMS)
        assert refused(tmp_path, content) or load(tmp_path, content).n_params == 2
    for place, changed in enumerate(flipped(PARAMS[1])):
        assert refused(tmp_path, params(changed)) == (place < 8 * 128)  # numbers are free, their header is not


# ---- pickles, which only say that they are ours ----


@pytest.mark.parametrize(
    "change",
    [{"params": [0.0]}, {"params": np.zeros(3)}, {"params": np.zeros((2, 1))}, {"params": ["a", "b"]}, {"params": None},
     {"network": {**NETWORK, "layers": [9, 1]}}, {"network": {**NETWORK, "layers": [1, -1]}},
     {"network": {**NETWORK, "output": "linear"}}, {"network": {**NETWORK, "dtype": "object"}}],
)  # fmt: skip
def test_a_pickled_state_that_does_not_fit_is_refused(change):
    with pytest.raises((ValueError, TypeError), match="expected"):
        fastmlp.Network.__new__(fastmlp.Network).__setstate__({**NET.__getstate__(), **change})

"""Model files made by hand: archives of any members, under a checksum that is right."""

import hashlib
import io
import warnings
import zipfile

DIGEST = 64


def seal(content):
    """The checksum made right."""
    body = bytes(content[:-DIGEST])
    return body + hashlib.sha256(body).hexdigest().encode()


def archive(*members, compression=zipfile.ZIP_STORED):
    """A zip of (name, content), sealed."""
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that appear twice
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name), content, compression)
        archive.comment = b"sha256:" + bytes(DIGEST)
    return seal(file.getvalue())

"""Labelled images from wherever they are, checked, as uint8 arrays with a fingerprint.

DatasetSpec --open_dataset--> Dataset(train, test, labels, preparation, sha256)

opening     finds the source and chooses the reader        catalogue   the datasets that have a name
npz, idx, folders, sample   the readers                    checks      what every array must be
assembly    joins what a reader found into a `Dataset`     splitting   holds out a test split
"""

from edgeconv.datasets.dataset import Dataset, Split
from edgeconv.datasets.opening import open_dataset
from edgeconv.datasets.spec import DatasetSpec

__all__ = ["Dataset", "DatasetSpec", "Split", "open_dataset"]

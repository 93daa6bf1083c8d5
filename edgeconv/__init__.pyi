# The public names, one a line: what type checkers and editors read, and what `__init__.py` opens with its first use.

from edgeconv.benchmarking.measuring import benchmark as benchmark
from edgeconv.benchmarking.profiling import profile as profile
from edgeconv.benchmarking.tuning import tune as tune
from edgeconv.bundling.bundler import Bundle as Bundle
from edgeconv.bundling.bundler import bundle as bundle
from edgeconv.bundling.checking import check_bundle as check_bundle
from edgeconv.config import ExportConfig as ExportConfig
from edgeconv.config import TrainConfig as TrainConfig
from edgeconv.conversion.export import export as export
from edgeconv.conversion.exported import ExportedModel as ExportedModel
from edgeconv.datasets import DatasetSpec as DatasetSpec
from edgeconv.errors import ArtifactError as ArtifactError
from edgeconv.errors import ChecksumError as ChecksumError
from edgeconv.errors import ConfigError as ConfigError
from edgeconv.errors import ConversionError as ConversionError
from edgeconv.errors import DatasetError as DatasetError
from edgeconv.errors import EdgeconvError as EdgeconvError
from edgeconv.errors import ImageError as ImageError
from edgeconv.errors import InferenceError as InferenceError
from edgeconv.errors import InputError as InputError
from edgeconv.errors import ManifestError as ManifestError
from edgeconv.errors import MissingDependencyError as MissingDependencyError
from edgeconv.errors import ParityError as ParityError
from edgeconv.errors import ProviderError as ProviderError
from edgeconv.errors import SchemaVersionError as SchemaVersionError
from edgeconv.errors import TrainingError as TrainingError
from edgeconv.errors import UnsupportedModelError as UnsupportedModelError
from edgeconv.evaluation.evaluate import evaluate as evaluate
from edgeconv.inspection.inspect import Inspection as Inspection
from edgeconv.inspection.inspect import inspect as inspect
from edgeconv.manifest import Manifest as Manifest
from edgeconv.parity.ledger import Ledger as Ledger
from edgeconv.progress import Progress as Progress
from edgeconv.runtime.prediction import Answer as Answer
from edgeconv.runtime.prediction import Prediction as Prediction
from edgeconv.runtime.prediction import Score as Score
from edgeconv.runtime.predictor import Predictor as Predictor
from edgeconv.training import TrainedModel as TrainedModel
from edgeconv.training import train as train

__version__: str

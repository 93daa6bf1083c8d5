"""Which of TensorFlow's functions, called by their names in a file, carry no code and touch no files."""

from __future__ import annotations

import json
from typing import Any


def _words(text: str) -> list[str]:
    return text.split()


ARITHMETIC = _words(
    """
    abs acos acosh add add_n angle argmax argmin asin asinh atan atan2 atanh ceil cos cosh count_nonzero cumprod
    cumsum cumulative_logsumexp digamma divide divide_no_nan equal erf erfc exp expm1 floor floordiv floormod
    greater greater_equal is_finite is_inf is_nan l2_normalize less less_equal lgamma log log1p log_sigmoid
    log_softmax logical_and logical_not logical_or logical_xor maximum minimum mod multiply multiply_no_nan
    ndtri negative not_equal pow real reciprocal reduce_all reduce_any reduce_euclidean_norm reduce_logsumexp
    reduce_max reduce_mean reduce_min reduce_prod reduce_std reduce_sum reduce_variance rint round rsqrt
    scalar_mul sigmoid sign sin sinh softmax softplus softsign sqrt square squared_difference subtract tan tanh
    top_k truediv unsorted_segment_sum xdivy xlogy
    """
)
NETWORK = _words(
    """
    atrous_conv2d avg_pool avg_pool1d avg_pool2d avg_pool3d batch_normalization bias_add conv1d conv2d
    conv2d_transpose conv3d convolution crelu depth_to_space depthwise_conv2d elu embedding_lookup gelu l2_loss
    l2_normalize leaky_relu local_response_normalization log_softmax lrn max_pool max_pool1d max_pool2d
    max_pool3d moments pool relu relu6 selu separable_conv2d sigmoid silu softmax softplus softsign
    space_to_depth swish tanh top_k zero_fraction
    """
)
ARRAYS = _words(
    """
    argsort batch_to_space boolean_mask broadcast_to cast clip_by_value concat convert_to_tensor depth_to_space
    dynamic_partition dynamic_stitch einsum expand_dims eye fill gather gather_nd identity linspace matmul
    meshgrid norm one_hot ones ones_like pad range rank repeat reshape reverse reverse_sequence roll scatter_nd
    searchsorted sequence_mask shape shape_n size slice sort space_to_batch space_to_depth split squeeze stack
    stop_gradient strided_slice tensordot tensor_scatter_nd_update tile transpose unique unstack where where_v2
    zeros zeros_like
    """
)
IMAGES = _words(
    """
    adjust_brightness adjust_contrast central_crop convert_image_dtype crop_and_resize crop_to_bounding_box
    extract_patches flip_left_right flip_up_down grayscale_to_rgb pad_to_bounding_box per_image_standardization
    resize resize_bicubic resize_bilinear resize_nearest_neighbor resize_with_crop_or_pad rgb_to_grayscale rot90
    transpose
    """
)
MATRICES = _words(
    """
    band_part cholesky cross det diag diag_part inv l2_normalize matmul matrix_transpose norm trace
    """
)
SIGNALS = _words(
    """
    dct fft fft2d frame hamming_window hann_window ifft inverse_stft irfft mfccs_from_log_mel_spectrograms rfft
    stft
    """
)
OPERATORS = _words("__operators__.add __operators__.eq __operators__.getitem __operators__.ne")

FUNCTIONS = frozenset(
    {
        *ARRAYS,
        *ARITHMETIC,
        *OPERATORS,
        *(f"math.{name}" for name in ARITHMETIC),
        *(f"nn.{name}" for name in NETWORK),
        *(f"image.{name}" for name in IMAGES),
        *(f"linalg.{name}" for name in MATRICES),
        *(f"signal.{name}" for name in SIGNALS),
    }
)
"""TensorFlow's functions that make tensors of tensors and nothing else, by their public name below `tf`."""

OPERATIONS = frozenset(
    _words(
        """
        Abs Add AddV2 All Any ArgMax ArgMin AvgPool BatchMatMul BatchMatMulV2 BiasAdd Cast ClipByValue
        Concat ConcatV2 Conv2D Cos Cumsum DepthToSpace DepthwiseConv2dNative Div DivNoNan Einsum Elu Equal
        Exp ExpandDims Fill Floor FloorDiv FloorMod Gather GatherNd GatherV2 Greater GreaterEqual Identity
        LeakyRelu Less LessEqual Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr MatMul Max MaxPool
        Maximum Mean Min Minimum MirrorPad Mul Neg NotEqual OneHot OnesLike Pack Pad PadV2 Pow Prod Range
        RealDiv Relu Relu6 Reshape ResizeBicubic ResizeBilinear ResizeNearestNeighbor ReverseV2 Round Rsqrt
        Select SelectV2 Selu Shape Sigmoid Sign Sin Size Slice Softmax Softplus Softsign SpaceToDepth Split
        SplitV Sqrt Square SquaredDifference Squeeze StopGradient StridedSlice Sub Sum Tan Tanh Tile TopKV2
        Transpose TruncateDiv Unpack Where ZerosLike
        """
    )
)
"""Operations of TensorFlow's graphs that do the same, as a TensorFlowOpLayer names them."""


def is_plain_function(name: str) -> bool:
    """Tell whether a TensorFlow function carries no code.

    Example:
        >>> is_plain_function("compat.v1.transpose"), is_plain_function("io.write_file")
        (True, False)
    """
    return name.removeprefix("compat.v1.") in FUNCTIONS


def is_plain_operation(node: Any) -> bool:
    """Tell whether the node of a TensorFlowOpLayer, JSON as text or read, carries no code."""
    try:
        read = json.loads(node) if isinstance(node, str) else node
    except (ValueError, RecursionError):
        return False
    return isinstance(read, dict) and read.get("op") in OPERATIONS

"""Augmentation: random in training, nothing (or a fixed crop) at inference."""

from __future__ import annotations

from typing import Any

from keras import layers

from tests.layers.case import Feed, built, one

PIXELS = Feed((12, 10, 3), low=0, high=255)
ANY_SIZE = Feed((None, None, 3), low=0, high=255, sizes=(11, 16))

for _feed in (PIXELS, ANY_SIZE):
    one("AugMix", _feed)
    one("CutMix", _feed)
    one("MixUp", _feed)
    one("RandAugment", _feed)
    one("RandomBrightness", _feed, 0.2)
    one("RandomColorDegeneration", _feed, 0.5)
    one("RandomColorJitter", _feed, brightness_factor=0.2, contrast_factor=0.2, saturation_factor=0.2, hue_factor=0.2)
    one("RandomContrast", _feed, 0.2)
    one("RandomElasticTransform", _feed)
    one("RandomErasing", _feed)
    one("RandomFlip", _feed)
    one("RandomGaussianBlur", _feed)
    one("RandomGrayscale", _feed)
    one("RandomHue", _feed, 0.2)
    one("RandomInvert", _feed)
    one("RandomPerspective", _feed)
    one("RandomPosterization", _feed, 4)
    one("RandomRotation", _feed, 0.1)
    one("RandomSaturation", _feed, 0.2)
    one("RandomSharpness", _feed, 0.2)
    one("RandomShear", _feed, 0.1, 0.1)
    one("RandomTranslation", _feed, 0.1, 0.1)
    one("RandomZoom", _feed, 0.1)
    one("RandomCrop", _feed, 8, 7)
one("RandomCrop", PIXELS, 15, 14)
one("RandomFlip", Feed((3, 12, 10), low=0, high=255), data_format="channels_first")


@built("RandomRotation", Feed((None, None, 3)))
def before_a_convolution(x: Any) -> Any:
    x = layers.RandomZoom(0.1)(layers.RandomRotation(0.1)(layers.RandomFlip("horizontal")(x)))
    return layers.Conv2D(4, 3, activation="relu")(x)


@built("Pipeline", PIXELS)
def of_augmentations(x: Any) -> Any:
    return layers.Pipeline([layers.RandomFlip(), layers.RandomRotation(0.1), layers.Rescaling(1 / 255)])(x)


@built("MaxNumBoundingBoxes", PIXELS, Feed((4, 4), low=0, high=10), Feed((4,), "int32", low=0, high=3))
def of_pictures_with_boxes(images: Any, boxes: Any, labels: Any) -> Any:
    layer = layers.MaxNumBoundingBoxes(2, bounding_box_format="xyxy")
    answer = layer({"images": images, "bounding_boxes": {"boxes": boxes, "labels": labels}})
    return [answer["images"], answer["bounding_boxes"]["boxes"], answer["bounding_boxes"]["labels"]]


@built("MixUp", PIXELS, Feed((5,), low=0, high=1))
def of_pictures_with_labels(images: Any, labels: Any) -> Any:
    answer = layers.MixUp()({"images": images, "labels": labels})
    return [answer["images"], answer["labels"]]

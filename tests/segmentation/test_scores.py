"""Confusion and scores on cases small enough to count by hand."""

import math

import pytest
import torch

from i2i.segmentation.scores import confusion, scores


def test_confusion_counts_truth_in_rows_and_predictions_in_columns() -> None:
    truth = torch.tensor([[[0, 0], [1, 2]]], dtype=torch.uint8)
    predicted = torch.tensor([[[0, 1], [1, 0]]])
    assert confusion(predicted, truth, 3).tolist() == [[1, 1, 0], [0, 1, 0], [1, 0, 0]]


def test_confusion_keeps_every_class_where_only_the_first_occurs() -> None:
    zeros = torch.zeros(2, 4, 4, dtype=torch.uint8)
    found = confusion(zeros, zeros, 256)
    assert found.shape == (256, 256)
    assert found.dtype == torch.int64
    assert found[0, 0] == found.sum() == 32


def test_scores_of_a_case_counted_by_hand() -> None:
    # Class 0: 3 of 4 right; class 1: 1 of 2 right. 0 is predicted 4 times, 1 twice.
    found = scores(torch.tensor([[3, 1], [1, 1]]))
    assert found.per_pixel == pytest.approx(4 / 6)
    assert found.per_class == pytest.approx((3 / 4 + 1 / 2) / 2)
    assert found.class_iou == pytest.approx((3 / 5 + 1 / 3) / 2)


def test_perfect_predictions_score_one_even_where_classes_are_missing() -> None:
    found = scores(torch.tensor([[5, 0, 0], [0, 0, 0], [0, 0, 7]]))
    assert (found.per_pixel, found.per_class, found.class_iou) == (1.0, 1.0, 1.0)


def test_a_class_absent_from_the_truth_counts_only_against_the_classes_it_was_taken_for() -> None:
    # Two of class 0's four pixels were taken for class 2, which never occurs.
    found = scores(torch.tensor([[2, 0, 2], [0, 4, 0], [0, 0, 0]]))
    assert found.per_pixel == pytest.approx(6 / 8)
    assert found.per_class == pytest.approx((2 / 4 + 1) / 2)
    assert found.class_iou == pytest.approx((2 / 4 + 1) / 2)


def test_always_the_commonest_class_is_worth_one_class_in_the_means() -> None:
    found = scores(torch.tensor([[6, 0, 0], [3, 0, 0], [1, 0, 0]]))
    assert found.per_pixel == pytest.approx(0.6)
    assert found.per_class == pytest.approx(1 / 3)
    assert found.class_iou == pytest.approx(0.6 / 3)


def test_without_pixels_there_is_no_score() -> None:
    assert all(math.isnan(value) for value in scores(torch.zeros(3, 3)).as_dict().values())

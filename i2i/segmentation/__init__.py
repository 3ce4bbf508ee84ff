"""The segmentation network that `seg_score` measures with: label maps, training, scores."""

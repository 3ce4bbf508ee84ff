"""The segmentation network that `seg_score` uses: label maps, network, scores."""

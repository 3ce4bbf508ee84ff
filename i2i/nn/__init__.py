"""Building blocks shared by the networks: norms, weight initialisation and LPIPS."""

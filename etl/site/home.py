"""The home page: what the dataset is, and where to go."""

"""What is computed once for a data set: text features, features of mixtures."""

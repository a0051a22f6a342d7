"""Read data sets and draw training examples, without TensorFlow."""

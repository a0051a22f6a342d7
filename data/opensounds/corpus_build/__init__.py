"""Build the lossless opensounds corpus from Debian packages; see ../make_corpus.py."""

"""How the lossless opensounds corpus is made from Debian packages; see ../make_corpus.py."""

"""The neural codec by itself: sound to tokens and back, streams, token files. Import the submodule you need."""

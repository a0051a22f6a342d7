"""The neural codec by itself: whole recordings, streams, token files. Import the submodule you need."""

<<<<<<< HEAD
"""The neural codec by itself: sound to tokens and back, and token files. Import the submodule you need."""
=======
"""The neural codec by itself: whole recordings, streams, token files."""
>>>>>>> main

"""``python -m hsmtss_jax``: the ``hsmtss`` command."""

import sys

from hsmtss_jax.cli.main import main

if __name__ == "__main__":
    sys.exit(main())

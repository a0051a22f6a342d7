"""The experiment configs as modules: those shipped beside this file, or those of the checkout."""

from hsmtss_jax.config import config_folders

__path__ = [str(folder) for folder in config_folders()]

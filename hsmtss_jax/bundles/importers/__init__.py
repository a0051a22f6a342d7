"""Import public weights into our parameter trees and bundles. Nothing is ever unpickled."""

from hsmtss_jax.bundles.importers.bundles import KINDS, import_bundle

__all__ = ["KINDS", "import_bundle"]

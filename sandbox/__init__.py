"""Stand-in vendors: each speaks its vendor's real wire format and knows nothing of the product it serves."""

from pkgutil import extend_path

# A vendor may also come as a distribution of its own, with a folder `sandbox/<vendor>/`.
__path__ = extend_path(__path__, __name__)

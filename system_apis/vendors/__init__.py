"""One package per vendor: everything that speaks a vendor's language is in that vendor's folder."""

from pkgutil import extend_path

# A vendor may also come as a distribution of its own, with a folder `system_apis/vendors/<vendor>/`.
__path__ = extend_path(__path__, __name__)

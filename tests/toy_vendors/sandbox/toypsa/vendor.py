"""The Toy PSA stand-in: clients and projects."""

from sandbox.core.documents import DocumentVendor


class ToyPsa(DocumentVendor):
    name = "toypsa"
    title = "Toy PSA"
    tables = ("clients", "projects")
    later = ("projects",)


VENDOR = ToyPsa()

"""Operations: an interface read once, as the routes, clients, documents and tests need it."""

from kit.operations.binding import Bound, api_of, bind, bound_of, readings
from kit.operations.cursors import bind_cursors
from kit.operations.documents import document
from kit.operations.schemas import Schemas

__all__ = ["Bound", "Schemas", "api_of", "bind", "bind_cursors", "bound_of", "document", "readings"]

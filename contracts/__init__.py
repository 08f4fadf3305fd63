"""The language of the house: frozen Structs, interfaces and problems that every floor speaks."""

"""The words of the product as frozen dataclasses, and pure functions of them."""

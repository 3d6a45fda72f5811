"""The scanner of texts as the product has it without plugins from outside."""

from web.adapters.scanners import phones, secrets
from web.adapters.scanners.scanner import PluginScanner
from web.hooks import load

SCANNER = PluginScanner(load((secrets.__name__, phones.__name__)))

"""Speed and memory of a drop, measured on its real processes: each claim is one module, each figure has its bound."""

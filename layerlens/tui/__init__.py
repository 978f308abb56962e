"""The terminal UI: what ``layerlens browse`` opens.

- ``app``: the program; ``sections``: the table of its screens; ``keys``: every key there is
- ``state``: what a screen shows and what is selected, as values that know nothing of Textual
- ``widgets``, ``screens``: how that looks, and what keys do to it
- ``image_reading``: an image read in a thread of its own, told of as it goes
"""

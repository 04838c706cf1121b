"""How good a model of a table is: measures on rows kept back, a short text, and a page with pictures.

writing    `written`: the page as a file
page       the page
style      its style sheet
pictures   its pictures
drawing    points, lines and bands as SVG
words      a verdict, and a text for a terminal
judging    `measured`
measures   what that finds
foretold   what the model and a straight line foretell of rows
effects    what each column does to the target
lines      the straight lines
"""

from fastmlp.report.judging import measured
from fastmlp.report.measures import Measures
from fastmlp.report.words import text, verdict
from fastmlp.report.writing import written

__all__ = ["Measures", "measured", "text", "verdict", "written"]

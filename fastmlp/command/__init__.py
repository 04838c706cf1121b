"""The command line, ``fastmlp fit | predict | show | export | demo``.

parser      what is asked, and what comes of it
fit         a table becomes a model, with a report
predict     a table and a model become predictions
show        what a file holds
export      networks as programs, formulas, and files of others
demo        the demonstration
asking      values of options
files       errors that name files, places to write to
"""

"""Which inputs matter: by saliencies and derivatives, and by what is read off the weights or drawn as profiles.

compared      saliencies, derivatives and weights side by side
connections   Garson's algorithm, Olden's connection weights
profiles      Lek's profile
"""

from fastmlp.importance.compared import Importances, importances
from fastmlp.importance.connections import garson, olden
from fastmlp.importance.profiles import LekProfile, lekprofile

__all__ = ["Importances", "LekProfile", "garson", "importances", "lekprofile", "olden"]

from fastmlp._core.sums.kinds import Kind

DENSE: Kind

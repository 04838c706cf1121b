from fastmlp._core.sums.kinds import Kind

DIAGONAL: Kind
AVERAGES: Kind

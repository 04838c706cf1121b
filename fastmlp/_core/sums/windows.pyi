from fastmlp._core.sums.kinds import CompiledKind

CONV: CompiledKind
MEAN: CompiledKind
LARGEST: CompiledKind

from fastmlp._core.sums.kinds import CompiledKind

MEAN: CompiledKind
LARGEST: CompiledKind

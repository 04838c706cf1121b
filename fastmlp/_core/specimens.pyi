from fastmlp._core.sums.kinds import CompiledKind

DIAGONAL: CompiledKind
AVERAGES: CompiledKind

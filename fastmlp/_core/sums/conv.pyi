from fastmlp._core.sums.kinds import CompiledKind

CONV: CompiledKind

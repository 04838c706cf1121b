from fastmlp._core.sums.kinds import CompiledKind

DENSE: CompiledKind

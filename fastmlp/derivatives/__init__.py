"""Every derivative: as pure functions of the parameters, as operators, and as methods of a network.

differentiable  methods of a network: Jacobians and their products, sample by sample
curved          methods of a network: second derivatives of its loss
operators       curvature as a linear operator of SciPy's
exact           Jacobians, Hessians and products as pure functions
mixed           second derivatives, once by the inputs and once by the parameters
wide            covariances of many parameters and few residuals; gram (a matrix held by its root)
eigenvalues     of symmetric matrices, in steps between which signals are answered
definite        positive definite matrices: factors, inverses, covariances
"""

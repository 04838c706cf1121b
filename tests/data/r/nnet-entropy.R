structure(list(n = c(0x1p+2, 0x1p+1, 0x1p+0), nunits = 8L, nconn = c(0x0p+0, 
0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, 0x1.4p+2, 0x1.4p+3, 0x1.ap+3
), conn = c(0x0p+0, 0x1p+0, 0x1p+1, 0x1.8p+1, 0x1p+2, 0x0p+0, 
0x1p+0, 0x1p+1, 0x1.8p+1, 0x1p+2, 0x0p+0, 0x1.4p+2, 0x1.8p+2), 
    nsunits = 8L, decay = 0x1p-1, entropy = TRUE, softmax = FALSE, 
    censored = FALSE, value = 0x1.b2ac6658bd389p+1, wts = c(0x1.9aff3c3ed2ea1p-9, 
    0x1.b0aee35cc9657p-6, 0x1.489d466034bb2p-7, 0x1.9195b0e19cf8cp-5, 
    0x1.05178d957c693p-5, 0x1.9ae898824a2abp-9, 0x1.b0a2b29747a19p-6, 
    0x1.488d9a41bb45ep-7, 0x1.918ea8e200294p-5, 0x1.051421bb3da3dp-5, 
    0x1.26b0973d9e20ap-3, 0x1.cfd4c93814c31p-4, 0x1.cfd351a1afe82p-4
    ), convergence = 0L, fitted.values = structure(c(0x1.242f734a233b1p-1, 
    0x1.241beb1b59aefp-1, 0x1.24b9197319c47p-1, 0x1.24aea54fd1364p-1, 
    0x1.24a136e5155c6p-1), dim = c(5L, 1L), dimnames = list(c("51", 
    "71", "101", "121", "141"), NULL)), residuals = structure(c(-0x1.242f734a233b1p-1, 
    -0x1.241beb1b59aefp-1, 0x1.b68dcd19cc772p-2, 0x1.b6a2b5605d938p-2, 
    0x1.b6bd9235d5474p-2), dim = c(5L, 1L), dimnames = list(c("51", 
    "71", "101", "121", "141"), NULL)), lev = c("versicolor", 
    "virginica"), call = nnet.formula(formula = Species ~ ., 
        data = two, size = 0x1p+1, decay = 0x1p-1, trace = FALSE), 
    terms = Species ~ Sepal.Length + Sepal.Width + Petal.Length + 
        Petal.Width, coefnames = c("Sepal.Length", "Sepal.Width", 
    "Petal.Length", "Petal.Width"), xlevels = structure(list(), names = character(0))), class = c("nnet.formula", 
"nnet"))

structure(list(n = c(0x1.4p+2, 0x0p+0, 0x1p+0), nunits = 7L, 
    nconn = c(0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, 
    0x0p+0, 0x1.8p+2), conn = c(0x0p+0, 0x1p+0, 0x1p+1, 0x1.8p+1, 
    0x1p+2, 0x1.4p+2), nsunits = 7L, decay = 0x1p-1, entropy = TRUE, 
    softmax = FALSE, censored = FALSE, value = 0x1.6b9c5f3179311p+1, 
    wts = c(0x0p+0, -0x1.76804c2a1814bp-4, -0x1.41858bf0307a4p-2, 
    -0x1.31f36a5a4bc29p-2, 0x1.db2837f94807fp-2, 0x1.14ba714ccf0c7p-1
    ), convergence = 0L, fitted.values = structure(c(0x1.b1ce5b0f9e85dp-2, 
    0x1.262166c571dbep-1, 0x1.7e2ff758b587ap-1, 0x1.5325ecaf88322p-1, 
    0x1.5e70f2515c885p-1), dim = c(5L, 1L), dimnames = list(c("51", 
    "71", "101", "121", "141"), NULL)), residuals = structure(c(-0x1.b1ce5b0f9e85dp-2, 
    -0x1.262166c571dbep-1, 0x1.03a0114e94f0cp-2, 0x1.59b426a0ef9bcp-2, 
    0x1.431e1b5d46ef6p-2), dim = c(5L, 1L), dimnames = list(c("51", 
    "71", "101", "121", "141"), NULL)), lev = c("versicolor", 
    "virginica"), call = multinom(formula = Species ~ ., data = two, 
        decay = 0x1p-1, trace = FALSE), terms = Species ~ Sepal.Length + 
        Sepal.Width + Petal.Length + Petal.Width, weights = c(0x1p+0, 
    0x1p+0, 0x1p+0, 0x1p+0, 0x1p+0), deviance = 0x1.6b9c5f3179311p+2, 
    rank = 5L, coefnames = c("(Intercept)", "Sepal.Length", "Sepal.Width", 
    "Petal.Length", "Petal.Width"), vcoefnames = c("(Intercept)", 
    "Sepal.Length", "Sepal.Width", "Petal.Length", "Petal.Width"
    ), xlevels = structure(list(), names = character(0)), edf = 0x1.4p+2, 
    AIC = 0x1.f5ce2f98bc988p+3), class = c("multinom", "nnet"
))

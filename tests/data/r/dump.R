fit <-
structure(list(n = c(0x1p+2, 0x1p+1, 0x1p+0), nunits = 8L, nconn = c(0x0p+0, 
0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, 0x1.4p+2, 0x1.4p+3, 0x1.ap+3
), conn = c(0x0p+0, 0x1p+0, 0x1p+1, 0x1.8p+1, 0x1p+2, 0x0p+0, 
0x1p+0, 0x1p+1, 0x1.8p+1, 0x1p+2, 0x0p+0, 0x1.4p+2, 0x1.8p+2), 
    nsunits = 8L, decay = 0x1p-1, entropy = TRUE, softmax = FALSE, 
    censored = FALSE, value = 0x1.b2ac665f2c2ddp+1, wts = c(0x1.9b7be6b5e620dp-9, 
    0x1.b08c1828fe2b8p-6, 0x1.48798026e6018p-7, 0x1.914d24a8e5714p-5, 
    0x1.04ead97347a2ap-5, 0x1.9b30960a5e417p-9, 0x1.b0ff47bbcf813p-6, 
    0x1.48abe7d9db5e7p-7, 0x1.91dc56ab65919p-5, 0x1.05461c9e6aeb2p-5, 
    0x1.26a757a36c559p-3, 0x1.cfb01423f9106p-4, 0x1.d01c4420e1d8ap-4
    ), convergence = 0L, fitted.values = structure(c(0x1.242fac19a5656p-1, 
    0x1.241c202c678d8p-1, 0x1.24b956457f8afp-1, 0x1.24aee34acdd3ap-1, 
    0x1.24a173d5248f2p-1), dim = c(5L, 1L), dimnames = list(c("51", 
    "71", "101", "121", "141"), NULL)), residuals = structure(c(-0x1.242fac19a5656p-1, 
    -0x1.241c202c678d8p-1, 0x1.b68d537500ea2p-2, 0x1.b6a2396a6458cp-2, 
    0x1.b6bd1855b6e1cp-2), dim = c(5L, 1L), dimnames = list(c("51", 
    "71", "101", "121", "141"), NULL)), lev = c("versicolor", 
    "virginica"), call = nnet.formula(formula = Species ~ ., 
        data = two, size = 0x1p+1, decay = 0x1p-1, trace = FALSE), 
    terms = Species ~ Sepal.Length + Sepal.Width + Petal.Length + 
        Petal.Width, coefnames = c("Sepal.Length", "Sepal.Width", 
    "Petal.Length", "Petal.Width"), xlevels = structure(list(), names = character(0))), class = c("nnet.formula", 
"nnet"))

structure(list(n = c(0x1p+1, 0x0p+0, 0x1.8p+1), nunits = 6L, 
    nconn = c(0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, 0x1.8p+1, 0x1.8p+2, 
    0x1.2p+3), conn = c(0x0p+0, 0x1p+0, 0x1p+1, 0x0p+0, 0x1p+0, 
    0x1p+1, 0x0p+0, 0x1p+0, 0x1p+1), nsunits = 0x1.8p+1, decay = 0x1p-1, 
    entropy = FALSE, softmax = TRUE, censored = FALSE, value = 0x1.676cfedafd2bbp+2, 
    wts = c(0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, -0x1.05c274174d685p-2, 
    0x1.04d6704b7756p-1, 0x0p+0, -0x1.286770c4de371p-1, 0x1.06e83e7caac97p+0
    ), convergence = 0L, fitted.values = structure(c(0x1.209f12547c883p-1, 
    0x1.021cf030ba9f4p-1, 0x1.998c4597c66fep-3, 0x1.f9da06f709dcbp-4, 
    0x1.d12dc69373fc6p-5, 0x1.846432ae8acffp-4, 0x1.81483a0c79abp-4, 
    0x1.3fd5c61da034ap-2, 0x1.55f330c3b547p-2, 0x1.77019aeda3f6ep-2, 
    0x1.42d3bf2778623p-2, 0x1.edecd05868425p-3, 0x1.2f9de2e63b747p-2, 
    0x1.2d3d89a1174fcp-2, 0x1.fbb054e59aeb7p-4, 0x1.4ba5ddb5aaf53p-3, 
    0x1.bc38424678d14p-2, 0x1.1f5adf8d62935p-1, 0x1.6771ef80aeafbp-1, 
    0x1.37a4883710ebdp-1, 0x1.393833ede522dp-1), dim = c(7L, 
    3L), dimnames = list(c("1", "31", "51", "71", "101", "121", 
    "141"), c("setosa", "versicolor", "virginica"))), residuals = structure(c(0x1.bec1db5706efap-2, 
    0x1.fbc61f9e8ac18p-2, -0x1.998c4597c66fep-3, -0x1.f9da06f709dcbp-4, 
    -0x1.d12dc69373fc6p-5, -0x1.846432ae8acffp-4, -0x1.81483a0c79abp-4, 
    -0x1.3fd5c61da034ap-2, -0x1.55f330c3b547p-2, 0x1.447f32892e049p-1, 
    0x1.5e96206c43ceep-1, -0x1.edecd05868425p-3, -0x1.2f9de2e63b747p-2, 
    -0x1.2d3d89a1174fcp-2, -0x1.fbb054e59aeb7p-4, -0x1.4ba5ddb5aaf53p-3, 
    -0x1.bc38424678d14p-2, -0x1.1f5adf8d62935p-1, 0x1.311c20fea2a0ap-2, 
    0x1.90b6ef91de286p-2, 0x1.8d8f982435ba6p-2), dim = c(7L, 
    3L), dimnames = list(c("1", "31", "51", "71", "101", "121", 
    "141"), c("setosa", "versicolor", "virginica"))), lev = c("setosa", 
    "versicolor", "virginica"), call = multinom(formula = Species ~ 
        0x0p+0 + Sepal.Length + Petal.Length, data = some, decay = 0x1p-1, 
        trace = FALSE), terms = Species ~ 0x0p+0 + Sepal.Length + 
        Petal.Length, weights = structure(c(0x1p+0, 0x1p+0, 0x1p+0, 
    0x1p+0, 0x1p+0, 0x1p+0, 0x1p+0), dim = c(7L, 1L), dimnames = list(
        c("1", "31", "51", "71", "101", "121", "141"), NULL)), 
    deviance = 0x1.676cfedafd2bbp+3, rank = 2L, lab = c("setosa", 
    "versicolor", "virginica"), coefnames = c("Sepal.Length", 
    "Petal.Length"), vcoefnames = c("Sepal.Length", "Petal.Length"
    ), xlevels = structure(list(), names = character(0)), edf = 0x1p+2, 
    AIC = 0x1.33b67f6d7e95ep+4), class = c("multinom", "nnet"
))

structure(list(n = c(0x1p+2, 0x1p+1, 0x1p+0), nunits = 8L, nconn = c(0x0p+0, 
0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, 0x1.4p+2, 0x1.4p+3, 0x1.ap+3
), conn = c(0x0p+0, 0x1p+0, 0x1p+1, 0x1.8p+1, 0x1p+2, 0x0p+0, 
0x1p+0, 0x1p+1, 0x1.8p+1, 0x1p+2, 0x0p+0, 0x1.4p+2, 0x1.8p+2), 
    nsunits = 8L, decay = 0x1p-1, entropy = TRUE, softmax = FALSE, 
    censored = FALSE, value = 0x1.b2ac6658b1dfp+1, wts = c(0x1.9af911d513b62p-9, 
    0x1.b0a81128da173p-6, 0x1.489599e520bcap-7, 0x1.9198840d84aefp-5, 
    0x1.051a33fdb9c44p-5, 0x1.9ae98350b221ap-9, 0x1.b0ad894c69011p-6, 
    0x1.48984f1494bcdp-7, 0x1.919789ce2e199p-5, 0x1.05174aee80d01p-5, 
    0x1.26af5bf7bce6cp-3, 0x1.cfd4197f7ba28p-4, 0x1.cfd31588b43e3p-4
    ), convergence = 0L, fitted.values = structure(c(0x1.242f63c62e021p-1, 
    0x1.241bdbc447d5fp-1, 0x1.24b90bb46652fp-1, 0x1.24ae973b47c02p-1, 
    0x1.24a128bd483a8p-1), dim = c(5L, 1L), dimnames = list(c("51", 
    "71", "101", "121", "141"), NULL)), residuals = structure(c(-0x1.242f63c62e021p-1, 
    -0x1.241bdbc447d5fp-1, 0x1.b68de897335a2p-2, 0x1.b6a2d189707fcp-2, 
    0x1.b6bdae856f8bp-2), dim = c(5L, 1L), dimnames = list(c("51", 
    "71", "101", "121", "141"), NULL)), lev = c("versicolor", 
    "virginica"), call = quote(nnet.formula(formula = Species ~ 
        ., data = two, size = 0x1p+1, decay = 0x1p-1, trace = FALSE)), 
    terms = Species ~ Sepal.Length + Sepal.Width + Petal.Length + 
        Petal.Width, coefnames = c("Sepal.Length", "Sepal.Width", 
    "Petal.Length", "Petal.Width"), xlevels = structure(list(), names = character(0))), class = c("nnet.formula", 
"nnet"))

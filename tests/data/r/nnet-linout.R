structure(list(n = c(0x1p+2, 0x1p+1, 0x1p+0), nunits = 8L, nconn = c(0x0p+0, 
0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, 0x0p+0, 0x1.4p+2, 0x1.4p+3, 0x1.ap+3
), conn = c(0x0p+0, 0x1p+0, 0x1p+1, 0x1.8p+1, 0x1p+2, 0x0p+0, 
0x1p+0, 0x1p+1, 0x1.8p+1, 0x1p+2, 0x0p+0, 0x1.4p+2, 0x1.8p+2), 
    nsunits = 0x1.cp+2, decay = 0x1.47ae147ae147bp-7, entropy = FALSE, 
    softmax = FALSE, censored = FALSE, value = 0x1.5e65fe23601eep-1, 
    wts = c(-0x1.9497ef410ce75p+0, 0x1.f88c11eb2df6cp-3, 0x1.a61edf1aa0183p+0, 
    0x1.3f273dcfe87a4p+0, 0x1.deb8e7ce482bap-2, 0x1.b5295b45ed341p-1, 
    0x1.2d68fe70849bbp-1, -0x1.43529fc0091ffp+1, 0x1.3db6a51dbc9e4p-1, 
    0x1.15dbed0b5eea6p+1, 0x1.1d6eb0c0a795ep+0, 0x1.b074736d5022fp+1, 
    0x1.da24083327c6fp+1), convergence = 1L, fitted.values = structure(c(0x1.3aa47fc738ccp+2, 
    0x1.41badd7b8367dp+2, 0x1.b536f44eff80dp+2, 0x1.82ec24e78c3dcp+2, 
    0x1.a1faf82e07afap+2, 0x1.b375bc2023d28p+2, 0x1.a243c6f89b217p+2
    ), dim = c(7L, 1L), dimnames = list(c("1", "31", "51", "71", 
    "101", "121", "141"), NULL)), residuals = structure(c(0x1.783cd3e5b34cp-3, 
    -0x1.d0f5490a0694p-3, 0x1.592176200fe6p-3, -0x1.2a5169be5484p-3, 
    -0x1.d8f89f5a8f8ep-3, 0x1.88f75e5d71c8p-4, 0x1.5120ba86356cp-3
    ), dim = c(7L, 1L), dimnames = list(c("1", "31", "51", "71", 
    "101", "121", "141"), NULL)), call = nnet.formula(formula = Sepal.Length ~ 
        Petal.Length + Petal.Width + Species, data = some, size = 0x1p+1, 
        linout = TRUE, decay = 0x1.47ae147ae147bp-7, trace = FALSE), 
    terms = Sepal.Length ~ Petal.Length + Petal.Width + Species, 
    coefnames = c("Petal.Length", "Petal.Width", "Speciesversicolor", 
    "Speciesvirginica"), contrasts = list(Species = "contr.treatment"), 
    xlevels = list(Species = c("setosa", "versicolor", "virginica"
    ))), class = c("nnet.formula", "nnet"))
